import { accusations } from '../test/attacks/known/accusations.ts'
import { clockJumps, clockPush } from '../test/attacks/known/clock-jumps.ts'
import { firstDescriptions, moreDescriptions } from '../test/attacks/known/false-descriptions.ts'
import { fullLinks } from '../test/attacks/known/full-links.ts'
import { goneClaims } from '../test/attacks/known/gone-claims.ts'
import { hostNames } from '../test/attacks/known/host-names.ts'
import { emptyAnswers, forgedAnswers } from '../test/attacks/known/owned-keywords.ts'
import { publicationFlood, spamTitles } from '../test/attacks/known/publications.ts'
import { spentResources } from '../test/attacks/known/resources.ts'
import { thirdPartyPings } from '../test/attacks/known/third-party.ts'
import { madeUpVerdicts } from '../test/attacks/known/verdicts.ts'
import { HonestNetwork } from '../test/attacks/network.ts'
import { type Attack, GOSSIP_STOCK_BYTES, INDEX_STOCK_BYTES, type Plan, perform, type Report } from '../test/attacks/stage.ts'
import type { Bench, BenchContext, Finding } from './harness.ts'

// What known attacks cost honest nodes: real processes on loopback, two bootstraps, three index nodes and two clients, each
// attack on a network of its own, and the same seconds of that network before the attack beside it. A whole run takes more
// than two hours: `--only NAME` runs one attack, `--only "NAME, 50 client"` one row of it, `--seconds N` each for so long.

const ATTACKS: Readonly<Record<string, Attack>> = {
  'host-names': hostNames,
  'gone-claims': goneClaims,
  'clock-jumps': clockJumps,
  'clock-push': clockPush,
  accusations,
  'full-links': fullLinks,
  publications: publicationFlood,
  verdicts: madeUpVerdicts,
  'empty-answers': emptyAnswers,
  'forged-answers': forgedAnswers,
  'first-descriptions': firstDescriptions,
  'more-descriptions': moreDescriptions,
  'spam-titles': spamTitles,
  'third-party': thirdPartyPings,
  resources: spentResources,
}

/** What the log may grow by, in all, while an attack uses up what its invitation may say at once (ADR 18). */
const STOCK_BYTES: Readonly<Record<string, number>> = {
  publications: INDEX_STOCK_BYTES,
  'first-descriptions': INDEX_STOCK_BYTES,
  'more-descriptions': INDEX_STOCK_BYTES,
  'spam-titles': INDEX_STOCK_BYTES,
  verdicts: GOSSIP_STOCK_BYTES,
}

const SECONDS = 60
const KEYS_MANY = 50

/** A member that has turned is one of five; whoever has many keys has none of a member. */
const ATTACKERS: readonly Omit<Plan, 'seconds'>[] = [
  { standing: 'stranger', keys: 1 },
  { standing: 'stranger', keys: KEYS_MANY },
  { standing: 'client', keys: 1 },
  { standing: 'client', keys: KEYS_MANY },
  { standing: 'member', keys: 1 },
]

const bench: Bench = async (context) => {
  const { only, seconds = SECONDS, note } = context
  const chosen = Object.entries(ATTACKS)
    .flatMap(([name, attack]) => ATTACKERS.map((attacker) => ({ name, attack, attacker, title: titleOf(name, attacker) })))
    .filter(({ name, title }) => only === undefined || only === name || only === title)
  if (chosen.length === 0) throw new Error(`no attack is called ${only}; there are ${Object.keys(ATTACKS).join(', ')}`)
  for (const { name, attack, attacker, title } of chosen) {
    const plan = { ...attacker, seconds }
    note(`${title}: ${seconds} s without, ${seconds} s with`)
    const network = await HonestNetwork.start({ newcomers: 1, indexNodes: plan.standing === 'member' ? 2 : 3 })
    try {
      const calm = await perform(network, undefined, { ...plan, keys: 0 })
      const report = await perform(network, attack, plan)
      if (report.fault !== undefined) note(`${title}: the attack itself failed: ${String(report.fault)}`)
      for (const text of wrongOf(report)) note(`${title}: ${text}`)
      tell(context, name, plan, calm, report)
    } finally {
      await network.end()
    }
  }
}

export default bench

const titleOf = (name: string, { keys, standing }: Omit<Plan, 'seconds'>): string => `${name}, ${keys} ${standing}`

function tell({ report }: BenchContext, name: string, { standing, keys }: Plan, calm: Report, attacked: Report): void {
  const title = titleOf(name, { keys, standing })
  const isMember = standing === 'member'
  const row = (what: string, unit: string, of: (one: Report) => number, target?: Finding['target']): void => {
    const before = of(calm)
    const value = of(attacked)
    report({
      ...{ name: `${title}: ${what}`, value, unit },
      // Nothing can be so many times nothing.
      ...(before > 0 && { against: { name: 'without', value: before } }),
      ...(target && { target }),
    })
  }
  row('honest nodes ended', 'nodes', ({ ended }) => ended.length, { atMost: 0 })
  row('searches right', '%', searchesRight, { atLeast: 100 })
  row('publications right', '%', ({ publications }) => percent(publications.right, publications.asked), { atLeast: 100 })
  row('all alive in all tables', '%', ({ aliveShare }) => 100 * aliveShare, isMember ? undefined : { atLeast: 100 })
  row('longest held dead', 's', ({ longestDeadMs }) => longestDeadMs / 1_000, { atMost: 1 })
  row('event loop delay p99', 'ms', ({ delayMsP99 }) => delayMsP99, { atMost: 100 })
  row('memory more', 'MB', ({ memoryBytesMore }) => memoryBytesMore / 1e6, { atMost: 50 })
  // What honest nodes write by themselves is no attacker's.
  const logMore = logBytesAnHour(attacked) - logBytesAnHour(calm)
  const stock = STOCK_BYTES[name]
  // An attack of a minute does not use up what an invitation may say at once: an hour of that rate there never is.
  if (stock === undefined || standing === 'stranger')
    report({ name: `${title}: log more than without`, value: logMore, unit: 'bytes/h', target: { atMost: 5e6 } })
  else
    report({
      name: `${title}: log more, of the stock of its invitation`,
      value: attacked.logBytesMore,
      unit: 'bytes',
      target: { atMost: stock },
    })
  row('disk more, with projections', 'MB', ({ diskBytesMore }) => diskBytesMore / 1e6)
  row('nodes whose status names the attacker', 'nodes', ({ namedBy }) => namedBy)
  for (const [what, value] of attacked.facts) report({ name: `${title}: ${what}`, value, unit: 'in all' })
}

const percent = (right: number, asked: number): number => (asked === 0 ? 0 : (100 * right) / asked)

const searchesRight = ({ searches, browses }: Report): number =>
  percent(searches.right + browses.right, searches.asked + browses.asked)

const logBytesAnHour = ({ logBytesMore, seconds }: Report): number => (logBytesMore * 3_600) / seconds

/** Of each kind the first thing that went wrong. */
const wrongOf = ({ publications, searches, browses, ended, lastNotAlive }: Report): string[] =>
  [publications.wrong[0], searches.wrong[0], browses.wrong[0], ended[0], lastNotAlive].filter(
    (text = '') => text !== '',
  ) as string[]
