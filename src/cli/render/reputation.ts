import type { BisectResult, DiffResult, Explanation, HindsightRow, ReplayResult, ScoreRow } from '../../roles/index.ts'
import { printable } from './printable.ts'
import { table } from './table.ts'
import { count, counted, duration, shortPeer, time } from './units.ts'

export function scoreTable(rows: readonly ScoreRow[]): string {
  if (rows.length === 0) return 'nobody has been judged yet'
  return table(rows, [
    { title: 'PEER', value: (row) => row.peer },
    { title: 'SCORE', value: (row) => String(row.score), align: 'right' },
    { title: 'STANDING', value: (row) => row.standing },
    { title: 'GOOD', value: (row) => count(row.ownGood), align: 'right' },
    { title: 'BAD', value: (row) => count(row.ownBad), align: 'right' },
    { title: 'REPORTERS', value: (row) => String(row.reporters), align: 'right' },
    { title: 'BECAUSE', value: (row) => row.because, widthMax: 80 },
  ])
}

/** Events shown that decided nothing. */
const VERDICTS_SHOWN = 20

const STANDINGS = {
  good: 'is in good standing',
  'thin-ice': 'is on thin ice: one more doubt and it is banned',
  banned: 'is banned',
} as const

/** Why a peer stands where it stands, as a story: verdict, terms, what moved the score, what decided. */
export function explanationText(explanation: Explanation, options: { all?: boolean } = {}): string {
  const { peer, score, standing, policy, terms, verdicts, decisive } = explanation
  const paragraphs = [`${printable(peer)} ${STANDINGS[standing]}, with a score of ${score} under policy ${printable(policy)}.`]
  if (terms.length > 0) {
    const list = table(terms, [
      { title: 'TERM', value: (term) => term.name },
      { title: 'POINTS', value: (term) => (term.value > 0 ? `+${term.value}` : String(term.value)), align: 'right' },
      { title: 'BECAUSE', value: (term) => term.because },
    ])
    paragraphs.push(`The score is the sum of:\n${list}`)
  }
  paragraphs.push(
    verdicts.length === 0
      ? 'No event about it is in the log.'
      : `What was learnt, in order (* decided):\n${verdictLines(verdicts, options.all ?? false).join('\n')}`,
  )
  if (decisive.length > 0) {
    const events = decisive.length === 1 ? `event ${decisive[0]}` : `events ${decisive.join(', ')}`
    paragraphs.push(`Without ${events} it would not be banned.`)
  }
  if (explanation.now?.differs === true) paragraphs.push(hindsightText(explanation.now, explanation.standing))
  return paragraphs.join('\n\n')
}

/** Two times: what was concluded as the events came, and what the same events come to in the order of their stamps. */
export function hindsightText({ peer, score, standing, difference }: HindsightRow, then: ScoreRow['standing']): string {
  const known = `As the events came, ${shortPeer(peer)} ${STANDINGS[then]}.`
  const now = `In causal order, with all that was learnt since, it ${STANDINGS[standing]}, with a score of ${score}.`
  if (difference === null) return `${known} ${now}`
  const { seq, lamport, author } = difference.event
  const came = `event ${seq}, by ${shortPeer(author)}, stamped ${lamport}, which came after what it precedes`
  return `${known} ${now} What makes the difference: ${came}. Stamps are their authors' claims, so bans follow the order of arrival.`
}

/** Every event that decided, and of the others the last ones; how many were left out stands where they would be. */
function verdictLines(verdicts: Explanation['verdicts'], all: boolean): string[] {
  const lines: string[] = []
  let leftOut = 0
  const flush = () => {
    if (leftOut > 0) lines.push(`         ... ${counted(leftOut, 'event')} more (--all shows them)`)
    leftOut = 0
  }
  for (const [index, verdict] of verdicts.entries()) {
    if (!all && !verdict.decisive && index < verdicts.length - VERDICTS_SHOWN) {
      leftOut += 1
      continue
    }
    flush()
    lines.push(verdictLine(verdict))
  }
  flush()
  return lines
}

function verdictLine(verdict: Explanation['verdicts'][number]): string {
  const mark = verdict.decisive ? '*' : ' '
  const after = `score ${verdict.scoreAfter}, ${verdict.standingAfter}`
  return `${mark} ${String(verdict.seq).padStart(6)}  ${time(verdict.at)}  ${shortPeer(verdict.reporter)}: ${printable(verdict.evidence)} -> ${after}`
}

const CLAIMS = {
  smallest: 'No smaller set of events would do.',
  irreducible: 'None of them can be left out; a set of other events may be smaller.',
  lifting: 'There are too many to try whether some of them could be left out.',
} as const

/** Of a lifting set. */
const EVENTS_SHOWN = 40

export function bisectionText({ peer, standing, tipping, lifting, liftingCount, claim }: BisectResult): string {
  if (tipping === null) return `${printable(peer)} ${STANDINGS[standing]}: there is nothing to look for.`
  const { event, rule, before, after } = tipping
  const shown = lifting.slice(0, EVENTS_SHOWN).join(', ')
  const more = liftingCount > EVENTS_SHOWN ? ` and ${counted(liftingCount - EVENTS_SHOWN, 'event')} more` : ''
  const what = `event ${event.seq} of ${time(event.at)}, ${printable(event.kind)} by ${shortPeer(event.author)} (rule: ${printable(rule)})`
  return [
    `${printable(peer)} is banned.`,
    `It was tipped by ${what}: from score ${before.score}, ${before.standing}, to score ${after.score}, ${after.standing}.`,
    `Without ${counted(liftingCount, 'event')} it would stand: ${shown}${more}. ${CLAIMS[claim]}`,
  ].join('\n')
}

/** Two nodes that think otherwise of peers, and why. */
export function diffText({ here, there, policy, differing, peers }: DiffResult): string {
  const sides = `here: ${here} (policy ${printable(policy.here)})\nthere: ${there} (policy ${printable(policy.there)})`
  const paragraphs = [sides]
  if (policy.parameters.length > 0)
    paragraphs.push(
      table(policy.parameters, [
        { title: 'PARAMETER', value: (row) => row.name },
        { title: 'HERE', value: (row) => count(row.here), align: 'right' },
        { title: 'THERE', value: (row) => count(row.there), align: 'right' },
      ]),
    )
  if (differing === 0) paragraphs.push('both think the same of everyone')
  for (const row of peers) {
    const stood = (side: 'here' | 'there') =>
      `  ${side}: ${row[side].standing}, score ${row[side].score} (${printable(row[side].because)})`
    const reasons = row.reasons.map(({ side, event, text }) => `  - ${side}: ${eventNamed(event)}${printable(text)}`)
    paragraphs.push([printable(row.peer), stood('here'), stood('there'), ...reasons].join('\n'))
  }
  if (differing > peers.length) paragraphs.push(`and ${counted(differing - peers.length, 'peer')} more`)
  return paragraphs.join('\n\n')
}

function eventNamed(event: DiffResult['peers'][number]['reasons'][number]['event']): string {
  if (event === null) return ''
  return `number ${event.authorSeq} of ${shortPeer(event.author)} in its ${event.stream} stream (${printable(event.kind)}, ${time(event.at)}): `
}

/** @param own the node whose log it is */
export function replayText(result: ReplayResult, own: string): string {
  const speed = `${counted(result.events, 'event')} replayed in ${duration(result.elapsedMs)} under policy ${printable(result.policy)}`
  const changed =
    result.changed.length === 0
      ? 'no standing differs from the live one'
      : table(result.changed, [
          { title: 'PEER', value: (row) => row.peer },
          { title: 'LIVE', value: (row) => row.live },
          { title: 'REPLAYED', value: (row) => row.replayed },
          { title: 'LIVE BECAUSE', value: (row) => row.liveBecause, widthMax: 60 },
          { title: 'REPLAYED BECAUSE', value: (row) => row.replayedBecause, widthMax: 60 },
        ])
  const lines = [speed, scoreTable(result.scores), changed]
  if (result.as !== own)
    lines.unshift(
      `as ${shortPeer(result.as)} would judge, by what it and others have said that is in this log; what it kept to itself is not`,
    )
  if (result.replayedDigest !== null) {
    const same = result.liveDigest === result.replayedDigest
    const verdict = result.liveDigest === null ? '' : same ? ' (the same as live)' : ` (live: ${result.liveDigest})`
    lines.push(`digest ${result.replayedDigest}${verdict}`)
  }
  return lines.join('\n\n')
}
