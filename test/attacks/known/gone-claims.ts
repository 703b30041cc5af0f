import type { NodeId } from '../../../src/events/index.ts'
import { SUMMARY_BUCKETS } from '../../../src/network/wire.ts'
import type { Attack } from '../stage.ts'

const SEQ_MAX = Number.MAX_SAFE_INTEGER

/** Long enough for all to have heard it, and so long that the time after the restart is longer. */
const RESTART_AFTER_MS = 5_000

/**
 * Promises events of every member up to 2^53 - 1; and to whoever fetches them, says that all are gone. Then a member is
 * restarted: it has something to say, once a number is left to it.
 */
export const goneClaims: Attack = async (stage) => {
  const attackers = await stage.attackers()
  const victims = stage.network.members.map(({ id }) => id as NodeId)
  for (const attacker of attackers) {
    attacker.supplies = false
    attacker.onMessage((from, message) => {
      if (message.type !== 'fetch') return
      const gone = message.ranges.map(({ author, from: first }) => ({ author, from: first, to: SEQ_MAX }))
      attacker.send(from, { type: 'supply', id: message.id, events: [], last: true, gone })
    })
  }
  const [restarted] = stage.network.indexNodes
  const timer = setTimeout(() => {
    if (restarted !== undefined && !stage.signal.aborted) void stage.network.restart(restarted)
  }, RESTART_AFTER_MS)
  for (const attacker of attackers) await attacker.linkAll()
  let turn = 0
  await stage.again(200, async () => {
    // One after the other: of several at once only the first is asked.
    const attacker = attackers[turn++ % attackers.length]
    if (attacker === undefined) return
    await attacker.linkAll()
    const heads = victims.map((author) => ({ author, authorSeq: SEQ_MAX }))
    const buckets = new Uint8Array(SUMMARY_BUCKETS / 8)
    for (const peer of attacker.linked) attacker.send(peer, { type: 'vector', buckets, heads, reply: true })
  })
  clearTimeout(timer)
}
