import { randomBytes } from 'node:crypto'
import type { InfoHash } from '../../../src/events/index.ts'
import type { Attacker } from '../attacker.ts'
import type { Attack } from '../stage.ts'

const AT_ONCE = 100
/** Between two stamps. */
const JUMP = 2 ** 20

function jump(attacker: Attacker, count: number): void {
  const events = Array.from({ length: count }, () =>
    attacker.event(
      { kind: 'piece.suspected', infoHash: randomBytes(20).toString('hex') as InfoHash, index: 0, sources: [] },
      { lamport: attacker.lamport + JUMP },
    ),
  )
  attacker.push(events)
}

/** Events as far apart as a clock may jump, faster than an author's rate, all to one node: it keeps more than it passes on. */
export const clockJumps: Attack = async (stage) => {
  const attackers = await stage.attackers()
  const [relay] = stage.network.indexNodes
  if (relay === undefined) return
  await stage.again(100, async () => {
    for (const attacker of attackers) {
      await attacker.link(relay)
      jump(attacker, Math.ceil((5 * AT_ONCE) / attackers.length))
    }
  })
}

/** Events as far apart as a clock may jump, slowly enough to be passed on by all. */
export const clockPush: Attack = async (stage) => {
  const attackers = await stage.attackers()
  await stage.again(1_000, async () => {
    for (const attacker of attackers) {
      await attacker.linkAll()
      jump(attacker, AT_ONCE)
    }
  })
}
