import type { InfoHash, Lamport, Millis, NodeId, SignedEvent } from '../src/events/index.ts'
import { type NodeRole, signEvent, type UnsignedEvent } from '../src/events/index.ts'
import { type LevelLog, openLevelLog } from '../src/events/log/event-log.level.ts'
import { systemClock } from '../src/events/model/time.system.ts'
import { openDataDirectory } from '../src/roles/directory/data-directory.fs.ts'
import { joiningAs } from '../test/events/test-network.ts'
import { started, startWords, stopped } from './crash-commands.ts'
import { signerOf, verdict } from './log-corpus.ts'

// Nodes whose logs are long enough for a kill to come in the middle of what is done with them.

const AUTHORS = 50
const COMMIT_EVENTS = 100
/** The log is closed so often while it is filled: each time, LevelDB makes another table. */
const TABLES = 4

/** Clients of the network, their verdicts, and every tenth word a publication. Nobody that a node would dial. */
function words(count: number): SignedEvent[] {
  const { credentialOf } = joiningAs('client')
  const authors = Array.from({ length: AUTHORS }, (_, number) => ({ signer: signerOf(number), gossip: 0, index: 0 }))
  return Array.from({ length: count }, (_, number) => {
    const author = authors[number % AUTHORS] as (typeof authors)[number]
    const draft = number < AUTHORS ? admitted(credentialOf(author.signer.id)) : wordOf(number)
    const authorSeq = draft.stream === 'index' ? ++author.index : ++author.gossip
    return signEvent(draft, { lamport: (number + 1) as Lamport, authorSeq, at: (1.8e12 + number) as Millis }, author.signer)
  })
}

const admitted = (credential: Uint8Array): UnsignedEvent => ({ stream: 'gossip', event: { kind: 'node.admitted', credential } })

function wordOf(number: number): UnsignedEvent {
  if (number % 10 !== 0) return verdict(number)
  const infoHash = number.toString(16).padStart(40, '0') as InfoHash
  const title = `Survey ${number} of alpine plants, part ${number % 17}`
  return { stream: 'index', event: { kind: 'torrent.published', infoHash, title, sizeBytes: number, fileCount: 1, tags: [] } }
}

async function withLog(directory: string, role: NodeRole, use: (log: LevelLog) => Promise<void>): Promise<void> {
  using data = await openDataDirectory(directory, { role, joining: joiningAs(role, { name: `${role} ${directory}` }) })
  const options = { directory, signer: data.signer, clock: systemClock, upcast: (_k: number, _v: number, p: Uint8Array) => p }
  await using log = await openLevelLog(options)
  await use(log)
}

/** A new node with so many words of others in its log, and its own start; it has run once, so its projections are there. */
export async function makeNode(directory: string, role: NodeRole, count: number): Promise<void> {
  const events = words(count)
  const step = Math.ceil(count / TABLES)
  for (let table = 0; table < TABLES; table++)
    await withLog(directory, role, async (log) => {
      const end = Math.min(count, (table + 1) * step)
      for (let from = table * step; from < end; from += COMMIT_EVENTS)
        await log.ingest(events.slice(from, Math.min(end, from + COMMIT_EVENTS)))
    })
  await stopped(await started(startWords(role as 'bootstrap', directory)))
}

/** Adds own events in small commits: they stand in LevelDB's own log. */
export const addOwn = (directory: string, role: NodeRole, count: number): Promise<void> =>
  withLog(directory, role, async (log) => {
    const subject = signerOf(1).id as NodeId
    for (let number = 0; number < count; number++)
      await log.append([{ event: { kind: 'operator.banned', subject, reason: `before ${number}` } }])
  })
