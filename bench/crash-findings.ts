import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type SignedEvent, scanBody } from '../src/events/index.ts'
import { openStoppedNode } from '../src/roles/compose-stopped.ts'
import { command, started, startWords, stopped } from './crash-commands.ts'
import type { Found } from './crash-moment.ts'

// What is in the data directory of a node that was killed, after it was started again and stopped.

/** Signed bytes of each event, by author, stream and number. */
export type Events = ReadonlyMap<string, Buffer>

/** What docs/architecture.md says may stand in a data directory of a node that does not run. */
const KNOWN =
  /^(node\.json|key\.seed|head|log|projections|network\.json|settings\.json|scrub\.json|restored\.json|downloads|damaged-\d+)$/

export function nameOf({ body }: SignedEvent): string {
  const { author, stream, authorSeq } = scanBody(body)
  return `${author} ${stream} ${authorSeq}`
}

/** All events of a node that does not run. @throws if its log is damaged */
export async function eventsIn(directory: string): Promise<Map<string, Buffer>> {
  await using node = await openStoppedNode(directory)
  const events = new Map<string, Buffer>()
  for await (const { body, signature } of node.signed({})) {
    const signed = { body: Buffer.from(body, 'base64'), signature: Buffer.from(signature, 'base64') }
    events.set(nameOf(signed), Buffer.concat([signed.body, signed.signature]))
  }
  return events
}

/** Reasons and info hashes in the events of a node that does not run. */
async function wordsIn(directory: string): Promise<Set<string>> {
  await using node = await openStoppedNode(directory)
  const words = new Set<string>()
  for await (const { kind, event } of node.events({ kinds: ['operator.banned', 'torrent.published'] })) {
    if (kind === 'operator.banned') words.add(String(event.reason))
    if (kind === 'torrent.published') words.add(String(event.infoHash))
  }
  return words
}

export type Acknowledged = {
  readonly events: Events
  /** Reasons of bans and info hashes of publications. */
  readonly words?: readonly string[]
  /** True for one that could not be kept. */
  readonly isExcused?: (event: Buffer) => boolean
}

type Looking = {
  readonly directory: string
  readonly acknowledged: Acknowledged
  readonly role?: 'bootstrap' | 'client'
  readonly startMore?: readonly string[]
  readonly note: (text: string) => void
}

/** Starts a node as its user does after a kill, stops it, and looks. */
export async function foundAfterStart({ directory, role = 'bootstrap', startMore = [], ...looking }: Looking): Promise<Found> {
  let damaged = 0
  try {
    await stopped(await started(startWords(role, directory, startMore)))
  } catch (error) {
    looking.note(`it does not start: ${error}`)
    damaged++
    // As it is then told to.
    await command(['log', 'repair', '--data', directory])
  }
  const found = await foundIn({ directory, ...looking })
  return { ...found, damaged: found.damaged + damaged }
}

/** What is there of a node that does not run. */
export async function foundIn({ directory, acknowledged, note }: Omit<Looking, 'role' | 'startMore'>): Promise<Found> {
  const { events, words = [], isExcused = () => false } = acknowledged
  const verified = await command(['log', 'verify', '--data', directory])
  const total = events.size + words.length
  if (verified.exit !== 0) {
    note(`log verify ended with ${verified.exit}: ${verified.stdout}${verified.stderr}`)
    return { acknowledged: total, lost: total, damaged: 1, different: 0, leftover: leftovers(directory, note) }
  }
  const here = await eventsIn(directory)
  const gone = [...events].filter(([name, bytes]) => here.get(name)?.equals(bytes) !== true)
  const excused = gone.filter(([name, bytes]) => !here.has(name) && isExcused(bytes)).length
  const said = words.length === 0 ? new Set() : await wordsIn(directory)
  const unsaid = words.filter((word) => !said.has(word)).length
  return {
    acknowledged: total - excused,
    lost: gone.length - excused + unsaid,
    damaged: 0,
    different: await differentProjections(directory),
    leftover: leftovers(directory, note),
  }
}

/** Projections whose state, from the stored rows on, is another than that of a replay of the whole log. */
async function differentProjections(directory: string): Promise<number> {
  await using node = await openStoppedNode(directory)
  const stored = await node.digests({})
  const replayed = await node.digests({ at: stored.at })
  return Object.keys(replayed.digests).filter((name) => stored.digests[name] !== replayed.digests[name]).length
}

function leftovers(directory: string, note: (text: string) => void): number {
  const beside = readdirSync(directory).filter(
    (name) => !KNOWN.test(name) || (name.startsWith('damaged-') && !existsSync(join(directory, name, 'log'))),
  )
  if (beside.length > 0) note(`left behind: ${beside.join(', ')}`)
  return beside.length
}
