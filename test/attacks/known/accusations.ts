import type { NodeId } from '../../../src/events/index.ts'
import type { Attack } from '../stage.ts'

/** Others' words of incarnations that a member has not announced yet are kept for when it does: so many are accused at once. */
const AHEAD = 6

/** Every honest member is suspected and called dead, at whatever incarnation it answers with and at those that come next. */
export const accusations: Attack = async (stage) => {
  const attackers = await stage.attackers()
  const { members } = stage.network
  const incarnations = new Map<NodeId, number>(members.map(({ id }) => [id as NodeId, 1]))
  for (const attacker of attackers) {
    attacker.onMessage((from, message) => {
      if (message.type === 'pong' && incarnations.has(from)) incarnations.set(from, message.incarnation)
    })
    await attacker.linkAll()
    if (stage.standing === 'member') attacker.appear()
  }
  let seq = 1_000
  const said = new Set<string>()
  await stage.again(200, async () => {
    for (const attacker of attackers) {
      await attacker.linkAll()
      for (const peer of attacker.linked) attacker.send(peer, { type: 'ping', seq: seq++, belief: 'alive', incarnation: 0 })
      for (const member of members) {
        const subject = member.id as NodeId
        const present = incarnations.get(subject) ?? 1
        for (let incarnation = present; incarnation < present + AHEAD; incarnation++) {
          const name = `${attacker.id} ${subject} ${incarnation}`
          if (said.has(name)) continue
          said.add(name)
          const state = { subject, incarnation, role: member.role, ...stage.network.endpoint(member), dhtPort: 0 }
          attacker.push([
            attacker.event({ kind: 'member.suspect', ...state }),
            attacker.event({ kind: 'member.dead', ...state }),
          ])
        }
      }
    }
  })
}
