import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { upcastSteps } from '../../migrations/index.ts'
import { type Draft, upcaster } from '../../src/events/index.ts'
import { openLevelLog } from '../../src/events/log/event-log.level.ts'
import { openDataDirectory } from '../../src/roles/directory/data-directory.fs.ts'
import { tickingClock } from '../events/samples.ts'
import { joiningAs } from '../events/test-network.ts'
import { build, p2pt, startNode } from './program.ts'

type Row = { seq?: number; kind: string; event: { reason?: string }; gone?: { from: number; to: number } }

const PRUNED = 300
const KEPT = 8

/** The log of a node that has run for long: what stands in front is gone, and so is much of what came last. */
describe('a log that was pruned', () => {
  let root: string
  let data: string[]
  before(async function () {
    this.timeout(120_000)
    build()
    root = mkdtempSync(join(tmpdir(), 'p2pt-pruned-'))
    const directory = join(root, 'node')
    data = ['--data', directory]
    using opened = await openDataDirectory(directory, { role: 'bootstrap', joining: joiningAs('bootstrap') })
    const upcast = upcaster(upcastSteps)
    await using log = await openLevelLog({ directory, signer: opened.signer, clock: tickingClock(), upcast })
    const rollUp: Draft = {
      event: {
        ...{ kind: 'heartbeat.rolled-up', subject: opened.signer.id, beatsSeen: 1, beatsMissed: 0, firstAt: 1, lastAt: 2 },
        ...{ roundTripMicrosMin: 1, roundTripMicrosMedian: 1, roundTripMicrosMax: 1 },
      },
    }
    const stopped = (reason: string): Draft => ({ event: { kind: 'node.stopped', reason } })
    await log.append(Array.from({ length: PRUNED }, () => rollUp))
    for (let place = 0; place < KEPT; place++) await log.append([stopped(`kept ${place}`), ...Array(40).fill(rollUp)])
    // What is pruned stands in whole segments behind.
    await log.append(Array.from({ length: 200 }, () => rollUp))
    await log.prune({ to: log.head, kinds: ['heartbeat.rolled-up'], drop: () => true })
    assert.deepEqual(log.held(), { events: KEPT, authors: 1 })
  })
  after(() => rmSync(root, { recursive: true, force: true }))

  const rows = async (...words: string[]): Promise<Row[]> => {
    const { exit, stdout, stderr } = await p2pt([...words, ...data, '--json'])
    assert.equal(exit, 0, stderr)
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  }
  const lastOf = (count: number) => Array.from({ length: count }, (_, place) => `kept ${KEPT - count + place}`)

  it('shows as many of its last events as are asked for', async () => {
    const tail = await rows('log', 'tail', '--lines', '5')
    assert.deepEqual(
      tail.filter(({ event }) => event !== undefined).map(({ event }) => event.reason),
      lastOf(5),
    )
    const ofKind = await rows('log', 'tail', '--lines', '3', '--kind', 'node.stopped')
    assert.deepEqual(
      ofKind.map(({ event }) => event.reason),
      lastOf(3),
    )
    assert.deepEqual(await rows('log', 'tail', '--lines', '0'), [])
  })

  it('says which places hold no event any more, between its last events and around all of them', async () => {
    const gaps = async (...words: string[]) => (await rows('log', 'tail', ...words)).map(({ seq, gone }) => seq ?? gone)
    const head = PRUNED + KEPT * 41 + 200
    const last = PRUNED + (KEPT - 1) * 41 + 1
    const after = { from: last + 1, to: head }
    assert.deepEqual(await gaps('--lines', '2'), [last - 41, { from: last - 40, to: last - 1 }, last, after])
    const all = await gaps('--lines', '1000')
    assert.deepEqual([all.length, all[0], all.at(-1)], [2 * KEPT + 1, { from: 1, to: PRUNED }, after])
    const { stdout } = await p2pt(['log', 'tail', '--lines', '1', ...data])
    assert.match(stdout, new RegExp(`node\\.stopped .*\n +events ${after.from} to ${head} are not there any more \\(`))
  })

  it('counts what is there, and tells how much is not', async () => {
    const { stdout } = await p2pt(['log', 'stats', '--kinds', ...data, '--json'])
    const { events, gone, read } = JSON.parse(stdout)
    assert.deepEqual([events, gone], [KEPT, PRUNED + KEPT * 40 + 200])
    const unread = JSON.parse((await p2pt(['log', 'stats', ...data, '--json'])).stdout)
    assert.deepEqual([unread.events, unread.gone, unread.read], [events, gone, null])
    assert.deepEqual(
      read.byKind.map((row: { kind: string; events: number }) => [row.kind, row.events]),
      [['node.stopped', KEPT]],
    )
    const plan = await p2pt(['node', 'migrate', '--dry-run', ...data])
    assert.match(plan.stdout, new RegExp(`(^|\n)${KEPT} events in the log`))
    const { end } = JSON.parse((await p2pt(['log', 'export', ...data])).stdout.trim().split('\n').at(-1) ?? '')
    assert.equal(end.events, KEPT)
  })

  it('names the moment of a place that was pruned by the event before it', async () => {
    const head = PRUNED + KEPT * 41 + 200
    const { stdout } = await p2pt(['reputation', 'list', '--at', String(head), ...data])
    assert.match(stdout, new RegExp(`^as of event ${head} \\(lamport ${PRUNED + (KEPT - 1) * 41 + 1}, `))
    const early = await p2pt(['reputation', 'list', '--at', '7', ...data])
    assert.match(early.stdout, /^as of event 7\n/)
  })

  it('does so while its node runs', async () => {
    const node = await startNode(['bootstrap', 'start', ...data, '--host', '127.0.0.1', '--port', '0', '--json'])
    try {
      const tail = await rows('log', 'tail', '--no-follow', '--lines', '6', '--kind', 'node.stopped')
      assert.deepEqual(
        tail.map(({ event }) => event.reason),
        lastOf(6),
      )
      assert.match((await p2pt(['node', 'status', ...data])).stdout, /log +up to event \d{3},? ?\d*, lamport/)
    } finally {
      await p2pt(['node', 'stop', ...data])
      await node.ended
    }
  })
})
