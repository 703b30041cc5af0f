import { setTimeout as wait } from 'node:timers/promises'
import { type InfoHash, toHex } from '../src/events/index.ts'
import { build } from '../test/cli/program.ts'
import { KILLER_DATAGRAMS, KILLER_MESSAGES } from '../test/torrent/mangled/known-killers.ts'
import { handshake } from '../test/torrent/raw-peer.ts'
import { FuzzDatagrams } from './fuzz-datagrams.ts'
import { FuzzPeers } from './fuzz-peers.ts'
import { FuzzTarget, type Memory } from './fuzz-target.ts'
import type { Bench, BenchContext } from './harness.ts'
import { seedOfRun } from './seeded-random.ts'

// A running client among peers that say what nobody should, while it downloads from one that is honest: known killers one by
// one, then mangled messages on connections that they make and that it makes, and mangled datagrams to its DHT node. Both
// engines, 30 s each; with --full a million messages, 100,000 connections of its own and 100,000 datagrams for each. What
// is said follows from P2PT_SEED, which is told; in what order it arrives does not. `--only p2pt` or `--only webtorrent`.

const ENGINES = ['p2pt', 'webtorrent']
const SECONDS = 30
/** With --full: more than the counts take. */
const SECONDS_MAX = 3_600
const FULL = { messages: 1_000_000, connectionsOut: 100_000, datagrams: 100_000 }
/** Connections that hostile peers hold at a time. */
const INBOUND = 24
/** Addresses that are offered to a torrent at a time, and how many of them may wait. */
const OFFERED = 16
const WAITING_MAX = 96
/** After the attack, until what it left is let go of: a DHT node and the kept addresses have their own times. */
const SETTLE_MS = 15_000
const AFTER_KILLER_MS = 100
const TELL_MS = 30_000
const SCRIPT_MS_MAX = 10_000

const bench: Bench = async (context) => {
  build()
  for (const engine of ENGINES) if (context.only === undefined || context.only === engine) await attack(context, engine)
}

export default bench

async function attack(context: BenchContext, engine: string): Promise<void> {
  const { full, note, seconds = full ? SECONDS_MAX : SECONDS } = context
  const seed = seedOfRun()
  note(`${engine}: P2PT_SEED=${seed}`)
  const target = await FuzzTarget.start(engine)
  const peers = await FuzzPeers.start(seed, target.torrents)
  const infoHashes = target.torrents.map(({ infoHash }) => infoHash)
  const datagrams = new FuzzDatagrams(seed, target.dhtPort, infoHashes, () => peers.endpoints(4).map(compact))
  try {
    await wait(2_000)
    const before = await target.memory()
    const failed = await sayKillers(target, peers, datagrams)
    for (const killer of failed) note(`${engine}: ended by ${killer}`)
    const from = performance.now()
    if (target.runs) await storm(context, engine, { target, peers, datagrams, seconds })
    const took = (performance.now() - from) / 1_000
    if (!target.runs) note(`${engine}: it ended; last were ${peers.last.slice(-8).join(', ')}: ${target.lastWords}`)
    for (const what of target.failures) note(`${engine}: ${what}`)
    const during = target.runs ? await target.memory() : undefined
    if (target.runs) await wait(SETTLE_MS)
    const after = target.runs ? await target.memory() : undefined
    tell(context, engine, { target, peers, datagrams, took, before, during, after })
  } finally {
    datagrams.end()
    await peers.end()
    await target.end()
  }
}

/** @returns the one that ended it */
async function sayKillers(target: FuzzTarget, peers: FuzzPeers, datagrams: FuzzDatagrams): Promise<readonly string[]> {
  for (const [place, torrent] of target.torrents.entries()) {
    const hello = handshake(toHex(torrent.infoHash) as InfoHash)
    for (const [name, messagesOf] of Object.entries(KILLER_MESSAGES)) {
      const messages = messagesOf(torrent.pieceCount)
      // What stands behind a handshake in one chunk took another way through a client than the rest.
      for (const chunks of [[Buffer.concat([hello, ...messages])], [hello, ...messages]]) {
        await peers.dial(target.port, chunks)
        // And from one that it has dialled itself.
        peers.script(chunks)
        await target.offer(place, peers.endpoints(1))
        for (let waited = 0; peers.unheard > 0 && waited < SCRIPT_MS_MAX; waited += 50) await wait(50)
        await wait(AFTER_KILLER_MS)
        if (!target.runs) return [name]
        if (peers.unheard > 0) throw new Error(`${name}: not dialled`)
      }
    }
  }
  for (const [name, datagram] of Object.entries(KILLER_DATAGRAMS)) {
    await datagrams.say([Buffer.from(datagram, 'latin1')])
    await wait(AFTER_KILLER_MS)
    if (!target.runs) return [`a datagram, ${name}`]
  }
  return []
}

type Storm = {
  readonly target: FuzzTarget
  readonly peers: FuzzPeers
  readonly datagrams: FuzzDatagrams
  readonly seconds: number
}

async function storm({ full, note }: BenchContext, engine: string, { target, peers, datagrams, seconds }: Storm) {
  const over = new AbortController()
  const { signal } = over
  const { counts } = peers
  const isDone = (): boolean =>
    full &&
    counts.messagesRead >= FULL.messages &&
    counts.connectionsOut >= FULL.connectionsOut &&
    datagrams.sent >= FULL.datagrams
  const inbound = Array.from({ length: INBOUND }, async () => {
    while (!signal.aborted && target.runs) await peers.dial(target.port)
  })
  const offers = async (): Promise<void> => {
    for (let place = 0; !signal.aborted && target.runs; place = (place + 1) % target.torrents.length) {
      if (peers.waiting >= WAITING_MAX) await wait(5)
      else await target.offer(place, peers.endpoints(OFFERED)).catch(() => wait(100))
    }
  }
  const working = [
    ...inbound,
    offers(),
    datagrams.run(signal, full ? FULL.datagrams : Number.POSITIVE_INFINITY),
    target.downloadUntil(signal),
  ]
  const from = Date.now()
  for (let told = from; Date.now() < from + seconds * 1_000 && target.runs && !isDone(); await wait(200)) {
    if (Date.now() < told + TELL_MS) continue
    told = Date.now()
    const said = `${counts.messagesRead} messages, ${counts.connectionsOut} connections of its own, ${datagrams.sent} datagrams`
    note(`${engine}: ${said}, ${Math.round(target.residentBytes / 1e6)} MB resident`)
  }
  over.abort()
  await Promise.all(working)
}

type Told = {
  readonly target: FuzzTarget
  readonly peers: FuzzPeers
  readonly datagrams: FuzzDatagrams
  readonly took: number
  readonly before: Memory
  readonly during: Memory | undefined
  readonly after: Memory | undefined
}

function tell({ report, full }: BenchContext, engine: string, told: Told): void {
  const { target, peers, datagrams, took, before, during, after } = told
  const { counts } = peers
  const row = (name: string, value: number, unit: string, target?: { atLeast: number } | { atMost: number }): void =>
    report({ name: `${engine}: ${name}`, value, unit, ...(target && { target }) })
  const atLeast = (count: number) => (full ? { atLeast: count } : undefined)
  row('attacked for', took, 's')
  row('connections to it', counts.connectionsIn, 'connections')
  row('connections of its own', counts.connectionsOut, 'connections', atLeast(FULL.connectionsOut))
  row('messages sent', counts.messagesSent, 'messages')
  row('messages read', counts.messagesRead, 'messages', atLeast(FULL.messages))
  row('datagrams', datagrams.sent, 'datagrams', atLeast(FULL.datagrams))
  row('answers to its queries', datagrams.answered, 'datagrams')
  row('exits', target.runs ? 0 : 1, 'exits', { atMost: 0 })
  row('honest downloads, right by sha-256', target.downloads, 'downloads', { atLeast: 1 })
  row('honest downloads that failed', target.failures.length, 'downloads', { atMost: 0 })
  const more = (memory: Memory | undefined, what: 'asItIsBytes' | 'residentBytes' | 'keptBytes'): number =>
    memory === undefined ? Number.NaN : (memory[what] - before[what]) / 1e6
  row('resident memory more, as it is after it', more(after, 'asItIsBytes'), 'MB', { atMost: 50 })
  row('resident memory more, free heap given back', more(after, 'residentBytes'), 'MB', { atMost: 50 })
  row('memory in use more', more(after, 'keptBytes'), 'MB', { atMost: 50 })
  row('longest hold of the event loop', during?.delayMsMax ?? Number.NaN, 'ms')
}

/** As BEP 5 writes an address. */
function compact(endpoint: string): Uint8Array {
  const [host = '', port = '0'] = endpoint.split(':')
  return Uint8Array.from([...host.split('.').map(Number), Number(port) >> 8, Number(port) & 255])
}
