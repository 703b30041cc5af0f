import type { AuditReport } from '../../roles/audit/index.ts'
import { printable } from './printable.ts'
import { table } from './table.ts'
import { count, counted, time } from './units.ts'

/** What evidence proves. */
export function auditText({ network, node, at, policy, certificates, digest, peers, events }: AuditReport): string {
  const verdicts = table(peers, [
    { title: 'PEER', value: (row) => printable(row.peer) },
    { title: 'STANDING', value: (row) => row.standing },
    { title: 'SCORE', value: (row) => count(row.score), align: 'right' },
    { title: 'BECAUSE', value: (row) => row.explanation.judgement.because.at(-1)?.because ?? '', widthMax: 80 },
    { title: 'DECIDED BY', value: (row) => (row.decisive.length === 0 ? '' : counted(row.decisive.length, 'event')) },
  ])
  const lines = [
    `judged by   ${node}`,
    `network     ${printable(network.name)} (${network.id})`,
    `made        ${time(at)}`,
    `policy      ${printable(policy.id)}`,
    `evidence    ${counted(events, 'signed event')}, certificates of ${counted(certificates.length, 'node')}`,
    `digest      ${digest}`,
  ]
  return `${lines.join('\n')}\n\n${verdicts}`
}

/** `page`: what became of the text of a page. */
export function pageNote(page: 'none' | 'agrees' | 'not-compared'): string {
  const all = '\nall of it holds: signatures, certificates, verdicts and digest'
  if (page === 'none') return all
  if (page === 'agrees') return `${all}, and the page says what its evidence says`
  return `${all}; the page is of another version of p2pt, so that its text was not compared with them`
}
