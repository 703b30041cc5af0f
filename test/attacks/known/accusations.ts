import { type NodeId, readableEvent, type SignedEvent, scanBody } from '../../../src/events/index.ts'
import type { Attack } from '../stage.ts'

/** Others' words of incarnations that a member has not announced yet are kept for when it does: so many are accused at once. */
const AHEAD = 6

/** Every honest member is suspected and called dead, at whatever incarnation it says of itself and at those that come next. */
export const accusations: Attack = async (stage) => {
  const attackers = await stage.attackers()
  const { members } = stage.network
  const incarnations = new Map<NodeId, number>(members.map(({ id }) => [id as NodeId, 1]))
  for (const attacker of attackers) {
    attacker.onMessage((_from, message) => {
      if (message.type !== 'push') return
      for (const { event } of message.events) {
        const said = ownIncarnation(event)
        const known = said && incarnations.get(said.author)
        if (said && known !== undefined) incarnations.set(said.author, Math.max(known, said.incarnation))
      }
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

/** The incarnation that a node announces of itself, if that is what this event is. */
function ownIncarnation(signed: SignedEvent): { author: NodeId; incarnation: number } | undefined {
  const scanned = scanBody(signed.body)
  const event = readableEvent(scanned, (_kind, _version, payload) => payload)
  const isOwn = (event.kind === 'member.alive' || event.kind === 'member.refuted') && event.subject === scanned.author
  return isOwn ? { author: scanned.author, incarnation: event.incarnation } : undefined
}
