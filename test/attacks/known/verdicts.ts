import { randomBytes } from 'node:crypto'
import type { InfoHash, NodeId } from '../../../src/events/index.ts'
import type { Attack } from '../stage.ts'

const EVENTS_A_SECOND = 2_500
const EVERY_MS = 100
const AT_ONCE = 125

/** Verdicts about peers that nobody has ever met, at the link's rate; all keys together no faster than that. */
export const madeUpVerdicts: Attack = async (stage) => {
  const attackers = await stage.attackers()
  const infoHash = randomBytes(20).toString('hex') as InfoHash
  for (const attacker of attackers) await attacker.linkAll()
  let owed = 0
  let turn = 0
  let before = performance.now()
  await stage.again(EVERY_MS, async () => {
    const now = performance.now()
    owed += ((now - before) / 1_000) * EVENTS_A_SECOND
    before = now
    for (; owed >= AT_ONCE; owed -= AT_ONCE) {
      const attacker = attackers[turn++ % attackers.length]
      if (attacker === undefined) return
      if (attacker.linked.length === 0) await attacker.linkAll()
      const events = Array.from({ length: AT_ONCE }, () => {
        const subject = randomBytes(32).toString('hex') as NodeId
        return attacker.event({ kind: 'piece.judged', subject, infoHash, good: [{ first: 0, count: 1 }], bad: [] })
      })
      attacker.push(events)
    }
  })
}
