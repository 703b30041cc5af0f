import type { NodeId, NodeRole } from '../../../src/events/index.ts'
import type { Attack } from '../stage.ts'

/** Every honest member is suspected and called dead, at whatever incarnation it answers with. */
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
  const said = new Map<string, number>()
  await stage.again(200, async () => {
    for (const attacker of attackers) {
      await attacker.linkAll()
      for (const peer of attacker.linked) attacker.send(peer, { type: 'ping', seq: seq++, belief: 'alive', incarnation: 0 })
      for (const member of members) {
        const subject = member.id as NodeId
        const incarnation = incarnations.get(subject) ?? 1
        if (said.get(`${attacker.id} ${subject}`) === incarnation) continue
        said.set(`${attacker.id} ${subject}`, incarnation)
        const state = { subject, incarnation, role: member.role as NodeRole, ...stage.network.endpoint(member), dhtPort: 0 }
        attacker.push([attacker.event({ kind: 'member.suspect', ...state }), attacker.event({ kind: 'member.dead', ...state })])
      }
    }
  })
}
