import { policyConsequences } from '../../projections/reputation/index.ts'
import type { AuditReport } from '../../roles/audit/index.ts'
import { printable } from './printable.ts'

// Evidence as one page of HTML: what a person reads, and the bundle itself. It asks nobody for anything: no script runs in it, and
// its policy forbids every request. It follows from the bundle alone, so that `audit verify` can hold one against the other.

/** Raised whenever the same evidence makes another page. */
const PAGE_FORMAT = 1
const OPENING = '<script type="application/json" id="p2pt-audit">'
const CLOSING = '</script>'
const FIRST_LINE = `<!doctype html><!-- p2pt audit page ${PAGE_FORMAT} -->`
/** Events shown of each peer: those that decided or tell of bad pieces, and the last ones; the newest so many of them. */
const EVENTS_SHOWN = 400
const LAST_SHOWN = 50

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
/** Any text, as text: nothing of it is markup, nothing invisible. */
const escaped = (text: string): string => printable(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
/** Authors claim what they like: no Date has it all. */
const TIME_MAX = 8.64e15
const time = (at: number): string =>
  Math.abs(at) <= TIME_MAX ? new Date(at).toISOString().slice(0, 19).replace('T', ' ') : `${at} ms`

/** True for a page that this program wrote, in any version. */
export const isAuditPage = (text: string): boolean => text.startsWith('<!doctype html><!-- p2pt audit page ')
/** True for one whose text can be compared with what this version would write. */
export const isPresentPage = (text: string): boolean => text.startsWith(`${FIRST_LINE}\n`)

/** The bundle in a page; undefined where there is none. */
export function bundleInPage(page: string): string | undefined {
  const from = page.lastIndexOf(OPENING)
  const to = page.indexOf(CLOSING, from)
  return from < 0 || to < 0 ? undefined : page.slice(from + OPENING.length, to)
}

/** @param bundle the text of the evidence that `report` is of */
export function auditPage(report: AuditReport, bundle: string): string {
  const { network, node, at, events, digest, about, peers } = report
  const title = `Evidence about ${escaped(about)}`
  const facts: readonly [string, string][] = [
    ['judged by', `node <code>${escaped(node)}</code>`],
    ['network', `${escaped(network.name)} <code>${network.id}</code>`],
    ['made', `${time(at)} UTC, by the clock of that node`],
    ['evidence', `${events} signed events`],
    ['digest', `<code>${digest}</code>`],
  ]
  return `${FIRST_LINE}
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer"><meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${STYLE}</style></head><body>
<h1>${title}</h1>
<dl>${facts.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join('')}</dl>
${peers.map(peerPart).join('\n')}
<h2>By which rules</h2>
<p>Policy <b>${escaped(report.policy.id)}</b>:</p>
<ul>${policyConsequences(report.policy)
    .map((sentence) => `<li>${escaped(sentence)}</li>`)
    .join('')}</ul>
<h2>Whose word it is</h2>
${certificates(report)}
<h2>How to check it</h2>
<p>This page carries its evidence in itself: every event above as its author signed it, and the certificates of the authors. Whoever
has p2pt checks it with <code>p2pt audit verify FILE</code>, without a network and without trusting anybody: each signature,
that no event of the list is missing, that the events come to these verdicts and to this digest, and that this text says what they say. It proves what
these nodes said, not that they told the truth, nor that the node which made it knew nothing else.</p>
${OPENING}${inScript(bundle)}${CLOSING}
</body></html>
`
}

/** JSON that ends no script: the same value. */
const inScript = (json: string): string => json.replaceAll('<', '\\u003c')

function peerPart({ peer, score, standing, explanation }: AuditReport['peers'][number]): string {
  const decisive = new Set(explanation.decisive)
  const { verdicts } = explanation
  const isShown = verdicts.map(({ seq, bad }, index) => bad > 0 || decisive.has(seq) || index >= verdicts.length - LAST_SHOWN)
  const shown = verdicts.filter((_, index) => isShown[index]).slice(-EVENTS_SHOWN)
  const terms = explanation.judgement.because
    .map(
      ({ name, value, because }) => `<tr><td>${escaped(name)}</td><td class="n">${value}</td><td>${escaped(because)}</td></tr>`,
    )
    .join('')
  const rows = shown
    .map(
      (row) =>
        `<tr${decisive.has(row.seq) ? ' class="d"' : ''}><td class="n">${row.seq}</td><td>${time(row.at)}</td><td><code>${escaped(row.reporter).slice(0, 16)}</code></td><td>${escaped(row.evidence)}</td><td class="n">${row.scoreAfter}</td><td>${row.standingAfter}</td></tr>`,
    )
    .join('')
  const left = verdicts.length - shown.length
  return `<h2>${SAID[standing as keyof typeof SAID]}: <code>${escaped(peer)}</code></h2>
<p>Its score is ${score}: the sum of</p>
<table><tr><th>term</th><th>points</th><th>because</th></tr>${terms}</table>
<p>What was learnt of it, in the order in which it came${decisive.size > 0 ? '; the events that made the ban are marked' : ''}:</p>
<table><tr><th>event</th><th>time (UTC)</th><th>said by</th><th>what was seen</th><th>score</th><th>standing</th></tr>${rows}</table>
${left > 0 ? `<p>${left} events more are in the evidence.</p>` : ''}`
}

const SAID = { good: 'In good standing', 'thin-ice': 'On thin ice', banned: 'Banned' } as const

function certificates({ certificates, network }: AuditReport): string {
  if (certificates.length === 0) return '<p>The network is open: nobody needs an invitation.</p>'
  const rows = certificates
    .map(
      ({ node, invitedAs, role, revoked }) =>
        `<tr><td><code>${escaped(node)}</code></td><td>${escaped(invitedAs)}</td><td>${escaped(role)}</td><td>${revoked ? 'put out since: its word weighs nothing' : ''}</td></tr>`,
    )
    .join('')
  return `<p>The owner of the network "${escaped(network.name)}" invited them as:</p>
<table><tr><th>node</th><th>invited as</th><th>role</th><th></th></tr>${rows}</table>`
}

const STYLE =
  'body{font:16px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222;background:#fff}code{font-size:.85em;overflow-wrap:anywhere}table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #ccc;padding:.2em .6em;text-align:left;vertical-align:top}.n{text-align:right}.d{background:#fde8e8;font-weight:bold}dt{font-weight:bold;float:left;min-width:7em}'
