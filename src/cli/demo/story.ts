import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connectNode, type RemoteNode } from '../../control/index.ts'
import type { MemberRow, TorrentRow } from '../../roles/index.ts'
import type { LocalNetwork } from './network.ts'
import { digestOf, prepareSource } from './source.ts'

// The story that `npm start` tells: the whole main job on one machine, between real processes, on real files.

const PLAN = { bootstraps: 2, indexes: 3, clients: 4 }
const MEMBERS = PLAN.bootstraps + PLAN.indexes
/** The client that is killed downloads no faster, so that there is a middle of the work to be killed in. */
const LIMITED_DOWNLOAD = '6MB'
/** No step waits longer, ms. */
const STEP_MS_MAX = 45_000
const POLL_MS = 100

export type StepResult = { detail: string[]; facts: Record<string, unknown> }
export type StoryEvent =
  | { type: 'begin'; step: string; title: string }
  | { type: 'progress'; step: string; text: string }
  | ({ type: 'end'; step: string; title: string; ok: boolean; elapsedMs: number } & StepResult)

/** What a step found to be untrue; ends the story. */
export class StoryError extends Error {
  override readonly name = 'StoryError'
}

export type StoryOptions = {
  directory: string
  folder: string | undefined
  tell: (event: StoryEvent) => void
  signal: AbortSignal
}

/** Tells the story; resolves with the network, still up. @throws StoryError, after the step's `end` was told */
export async function tellStory({ directory, folder, tell, signal }: StoryOptions, network: LocalNetwork): Promise<void> {
  const ask = (name: string) => connectNode(network.node(name).options.dataDirectory)
  const step = async (
    name: string,
    title: string,
    run: (say: (text: string) => void) => Promise<StepResult>,
  ): Promise<void> => {
    signal.throwIfAborted()
    tell({ type: 'begin', step: name, title })
    const startedAt = performance.now()
    const end = (ok: boolean, result: StepResult) =>
      tell({ type: 'end', step: name, title, ok, elapsedMs: Math.round(performance.now() - startedAt), ...result })
    let said: string[] = []
    try {
      const result = await run((text) => {
        said = [text]
        tell({ type: 'progress', step: name, text })
      })
      end(true, result)
    } catch (error) {
      end(false, { detail: [error instanceof Error ? error.message : String(error), ...said], facts: {} })
      throw error
    }
  }

  const source = await prepareSource(folder, join(directory, 'source'))
  const original = await digestOf(source.path)
  const work: Work = { network, ask, signal, source, original, infoHash: '', magnet: '' }
  await step('start', `start ${PLAN.bootstraps} bootstraps, ${PLAN.indexes} index nodes and ${PLAN.clients} clients`, (say) =>
    start(work, say),
  )
  await step('publish', `client1 publishes "${source.title}"`, (say) => publish(work, say))
  await step('search', `client2 searches for "${source.word}"`, () => search(work))
  await step('download', 'client2 and client3 download it', (say) => download(work, say))
  await step('corrupt', 'client3 corrupts what it serves; client4 downloads', (say) => corrupt(work, say))
  await step('explain', 'client4 explains the ban', () => explain(work))
  await step('kill', 'kill -9 client4 and index1 in mid-work', (say) => kill(work, say))
  await step('restart', 'start both again', (say) => restart(work, say))
  await step('finish', 'the download goes on where it was', (say) => finish(work, say))
}

type Work = {
  network: LocalNetwork
  ask(name: string): Promise<RemoteNode>
  signal: AbortSignal
  source: { path: string; title: string; word: string }
  original: string
  infoHash: string
  magnet: string
  before?: Map<string, { at: number; digests: Record<string, string> }>
  piecesBefore?: number
}
type Say = (text: string) => void

async function start(work: Work, say: Say): Promise<StepResult> {
  await work.network.start(
    PLAN,
    (name) => (name === 'client3' ? ['--allow-corrupt'] : name === 'client4' ? ['--download-limit', LIMITED_DOWNLOAD] : []),
    (ready, total) => say(`${ready} of ${total} ready`),
  )
  const names = [...work.network.nodes.keys()]
  await until(work, `every node knows ${MEMBERS} members alive`, async () => {
    const counts = await Promise.all(names.map(async (name) => aliveIn(await (await work.ask(name)).node.members())))
    say(`members known: ${counts.join(' ')}`)
    return counts.every((count) => count >= MEMBERS)
  })
  return {
    detail: [`${names.length} processes, ${MEMBERS} members alive in all tables`],
    facts: { processes: names.length, members: MEMBERS },
  }
}

async function publish(work: Work, say: Say): Promise<StepResult> {
  const { client } = await work.ask('client1')
  const publishing = client.publish({ path: work.source.path, title: work.source.title, tags: ['demo'] })
  const result = await drain(publishing, ({ phase, done, total }) =>
    say(`${phase} ${done}${total === null ? '' : `/${total}`}`),
  )
  work.infoHash = result.infoHash
  work.magnet = result.magnet
  if (result.acknowledgedBy.length === 0) throw new StoryError('no index node took the publication')
  return {
    detail: [
      `info hash ${result.infoHash}, ${megabytes(result.sizeBytes)}`,
      `${result.partitions} partitions, held by ${result.acknowledgedBy.length} index nodes`,
    ],
    facts: { infoHash: result.infoHash, sizeBytes: result.sizeBytes, holders: result.acknowledgedBy.length },
  }
}

async function search(work: Work): Promise<StepResult> {
  const found = await (await work.ask('client2')).client.search({ text: work.source.word })
  const hit = found.hits.find(({ infoHash }) => infoHash === work.infoHash)
  if (hit === undefined) throw new StoryError(`the search found ${found.hits.length} torrents, but not the one published`)
  work.magnet = hit.magnet
  return {
    detail: [
      `"${hit.title}", ${megabytes(hit.sizeBytes)}, ${hit.seeders} seeder, by ${short(hit.publisher)}`,
      `partition ${found.partition} answered by ${short(found.answeredBy)} in ${found.elapsedMs} ms`,
    ],
    facts: { hits: found.hits.length, answeredBy: found.answeredBy, elapsedMs: found.elapsedMs },
  }
}

async function download(work: Work, say: Say): Promise<StepResult> {
  const startedAt = performance.now()
  const rows = await Promise.all(
    ['client2', 'client3'].map(async (name) => {
      const { client } = await work.ask(name)
      await client.add({ magnet: work.magnet })
      return drain(client.follow(work.infoHash), (row) => say(`${name} ${progressOf(row)}`))
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  const digest = await sameContent(work, rows[0] as TorrentRow)
  return {
    detail: [`sha-256 ${digest} on both sides`, `${seconds.toFixed(1)} s for both`],
    facts: { sha256: digest, elapsedMs: Math.round(seconds * 1000) },
  }
}

async function corrupt(work: Work, say: Say): Promise<StepResult> {
  const corrupter = await work.ask('client3')
  const { id } = await corrupter.node.status()
  await corrupter.client.corrupt(work.infoHash, 100)
  const victim = await work.ask('client4')
  await victim.client.add({ magnet: work.magnet })
  let bad = 0
  let downloads = 1
  await until(work, 'client4 bans client3', async () => {
    const [row] = (await victim.client.clientStatus()).torrents
    const score = (await victim.node.scores()).find(({ peer }) => peer === id)
    bad = score?.ownBad ?? 0
    say(`${row === undefined ? '' : progressOf(row)}, client3 has ${score?.score ?? 100} points`)
    if (score?.standing === 'banned') return true
    if (row !== undefined && row.pieceCount > 0 && row.piecesVerified === row.pieceCount) {
      // The honest ones were quicker this time: what client3 did is not forgotten, and it is asked again.
      await victim.client.remove(work.infoHash, { deleteFiles: true })
      await victim.client.add({ magnet: work.magnet })
      downloads++
    }
    return false
  })
  const again = downloads === 1 ? '' : `, in ${downloads} downloads`
  return { detail: [`client3 banned after ${bad} bad pieces${again}`], facts: { corrupter: id, badPieces: bad, downloads } }
}

async function explain(work: Work): Promise<StepResult> {
  const { id } = await (await work.ask('client3')).node.status()
  const explanation = await (await work.ask('client4')).node.explain(id)
  if (explanation.standing !== 'banned') throw new StoryError(`the explanation says ${explanation.standing}, not banned`)
  const last = explanation.verdicts.filter(({ decisive }) => decisive).at(-1)
  return {
    detail: [
      `policy ${explanation.policy}: score ${explanation.score}, ${explanation.standing}`,
      ...explanation.terms.map(({ name, value, because }) => `${name} ${value}: ${because}`),
      `decisive: ${explanation.decisive.length} of ${explanation.verdicts.length} events; the last is ${last?.seq}: ${last?.evidence}`,
    ],
    facts: { score: explanation.score, decisive: explanation.decisive },
  }
}

async function kill(work: Work, say: Say): Promise<StepResult> {
  const { client } = await work.ask('client4')
  let row: TorrentRow | undefined
  await until(work, 'client4 is in the middle of its download', async () => {
    row = (await client.clientStatus()).torrents.find(({ infoHash }) => infoHash === work.infoHash)
    if (row !== undefined) say(progressOf(row))
    return row !== undefined && row.piecesVerified * 3 >= row.pieceCount
  })
  const victims = ['client4', 'index1']
  work.before = new Map()
  for (const name of victims) work.before.set(name, await (await work.ask(name)).node.digests({}))
  work.piecesBefore = row?.piecesVerified ?? 0
  for (const name of victims) await work.network.node(name).kill()
  const found = await (await work.ask('client2')).client.search({ text: work.source.word })
  if (!found.hits.some(({ infoHash }) => infoHash === work.infoHash))
    throw new StoryError('with index1 dead the search finds nothing')
  return {
    detail: [
      `client4 had ${row?.piecesVerified} of ${row?.pieceCount} pieces`,
      `meanwhile the search is answered by ${short(found.answeredBy)} in ${found.elapsedMs} ms`,
    ],
    facts: { piecesVerified: row?.piecesVerified, pieceCount: row?.pieceCount, answeredBy: found.answeredBy },
  }
}

async function restart(work: Work, say: Say): Promise<StepResult> {
  const detail: string[] = []
  const facts: Record<string, unknown> = {}
  const before = [...(work.before ?? [])]
  await Promise.all(before.map(([name]) => work.network.node(name).start()))
  for (const [name, { at, digests }] of before) {
    say(`${name}: compare digests`)
    const { node } = await work.ask(name)
    const restored = await node.digests({ at })
    const live = await node.digests({})
    const replayed = await node.digests({ at: live.at })
    for (const projection of Object.keys(digests)) {
      if (restored.digests[projection] !== digests[projection]) {
        throw new StoryError(`${name}: ${projection} is not as it was after event ${at}`)
      }
      if (live.digests[projection] !== replayed.digests[projection]) {
        throw new StoryError(`${name}: ${projection} is not what a replay of the log gives`)
      }
    }
    detail.push(
      `${name}: ${Object.keys(digests).length} projections as before the kill (event ${at}), and equal to a replay (event ${live.at})`,
    )
    facts[name] = { at, digests }
  }
  return { detail, facts }
}

async function finish(work: Work, say: Say): Promise<StepResult> {
  const { client, node } = await work.ask('client4')
  const [atStart] = (await client.clientStatus()).torrents
  const kept = Math.min(work.piecesBefore ?? 0, atStart?.piecesVerified ?? 0)
  const row = await drain(client.follow(work.infoHash), (progress) => say(progressOf(progress)))
  const digest = await sameContent(work, row)
  const { id: corrupter } = await (await work.ask('client3')).node.status()
  const blamed = (await node.scores()).filter(
    ({ peer, ownBad, standing }) => peer !== corrupter && (ownBad > 0 || standing !== 'good'),
  )
  if (blamed.length > 0) throw new StoryError(`honest peers were blamed: ${blamed.map(({ peer }) => short(peer)).join(', ')}`)
  if (row.downloadedBytes >= row.sizeBytes) throw new StoryError('the download started over')
  if ((work.piecesBefore ?? 0) > (atStart?.piecesVerified ?? 0)) {
    throw new StoryError(`of ${work.piecesBefore} pieces only ${atStart?.piecesVerified} were still known after the restart`)
  }
  return {
    detail: [
      `${kept} pieces kept, ${megabytes(row.downloadedBytes)} of ${megabytes(row.sizeBytes)} fetched after the restart`,
      `sha-256 ${digest}; no honest peer was blamed`,
    ],
    facts: { piecesKept: kept, downloadedBytes: row.downloadedBytes, sizeBytes: row.sizeBytes, sha256: digest },
  }
}

async function sameContent(work: Work, row: TorrentRow): Promise<string> {
  const digest = await digestOf(join(row.directory, row.name))
  if (digest !== work.original) throw new StoryError(`the download differs: ${digest}, not ${work.original}`)
  return digest
}

/** Asks again and again until it is so. @throws StoryError when it takes too long */
async function until(work: Work, what: string, check: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + STEP_MS_MAX
  while (!(await check())) {
    if (performance.now() > deadline) throw new StoryError(`after ${STEP_MS_MAX / 1000} s it was still not so that ${what}`)
    await delay(POLL_MS, undefined, { signal: work.signal })
  }
}

async function drain<P, R>(progressive: AsyncGenerator<P, R, void>, onProgress: (progress: P) => void): Promise<R> {
  for (;;) {
    const { done, value } = await progressive.next()
    if (done) return value
    onProgress(value)
  }
}

const aliveIn = (members: readonly MemberRow[]) => members.filter(({ state }) => state === 'alive').length
const short = (id: string | null) => id?.slice(0, 8) ?? 'nobody'
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
const progressOf = (row: TorrentRow) =>
  `${row.piecesVerified}/${row.pieceCount} pieces, ${megabytes(row.downloadBytesPerSecond)}/s, ${row.peers} peers`
