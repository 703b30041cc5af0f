import assert from 'node:assert/strict'
import type { Millis, NodeId } from '../../src/events/index.ts'
import { openMemoryLog } from '../../src/events/log/event-log.memory.ts'
import {
  createProjectionRunner,
  type KeptState,
  type KeywordIndexState,
  keptProjection,
  keywordIndexProjection,
  totalsOf,
} from '../../src/projections/index.ts'
import { openMemoryProjectionStore } from '../../src/projections/projection-store.memory.ts'
import type { StoredTable } from '../../src/projections/row-table.ts'
import { newSha256, sha256Of } from '../../src/projections/sha256.system.ts'
import { foreign, noUpcast, signerOf } from '../events/samples.ts'
import { countedTurns } from './counted-turns.ts'
import { hash } from './envelopes.ts'

const [ME, EVE, ADA] = [signerOf(1), signerOf(2), signerOf(3)]
const STILL = { after: () => () => {} }
const TITLES = 400

type States = { 'keyword-index': KeywordIndexState; kept: KeptState }

const said = (by: typeof EVE, authorSeq: number, title = `${authorSeq} orbit`) =>
  foreign(by, authorSeq, authorSeq, {
    stream: 'index',
    event: { kind: 'torrent.published', infoHash: hash(title), title, sizeBytes: 1, fileCount: 1, tags: [] },
  })

describe('a runner that forgets authors', () => {
  async function lived() {
    /** What everybody else does when their turn comes, from when a test says it. */
    const others: { turn?: () => Promise<void> } = {}
    const log = openMemoryLog({ signer: ME, clock: { now: () => 1 as Millis }, upcast: noUpcast })
    for (let place = 1; place <= TITLES; place++) await log.ingest([said(EVE, place), said(ADA, place, `${place} moon`)])
    const turns = countedTurns(async () => others.turn?.())
    const store = openMemoryProjectionStore()
    const runner = createProjectionRunner<States>({
      ...{ log, store, timers: STILL, newSha256, newTurns: turns.newTurns, checkpointEvents: 100, snapshotEvents: 100 },
      projections: { 'keyword-index': keywordIndexProjection(sha256Of), kept: keptProjection(ME.id) },
    })
    await runner.open()
    return { log, store, turns, runner, others }
  }
  const forgotten: ReadonlySet<NodeId> = new Set([EVE.id])

  it('takes them out of the live state in turns, with its rows, and follows meanwhile', async () => {
    const { log, store, turns, runner, others } = await lived()
    let later = 0
    others.turn = async () => {
      if (later++ === 0) await log.ingest([said(ADA, TITLES + 1, 'later moon')])
    }
    const [state, before] = [runner.state('keyword-index'), turns.count]
    await runner.forget('keyword-index', forgotten)
    assert.ok(turns.count - before > TITLES / 12, `${turns.count - before} turns`)
    assert.equal(runner.state('keyword-index'), state)
    assert.equal(totalsOf(state).documents, TITLES + 1)
    await runner.close()
    const table = await store.openTable('keyword-index')
    assert.equal(table?.checkpoint, 2 * TITLES + 1)
    const opened = keywordIndexProjection(sha256Of).open(table as StoredTable, () => undefined)
    assert.equal([...opened.documents.all()].length, TITLES + 1)
  })

  it('makes a state again of which nothing can be taken out', async () => {
    const { runner } = await lived()
    const [state, digest] = [runner.state('kept'), runner.digest('kept')]
    await runner.forget('kept', forgotten)
    assert.notEqual(runner.state('kept'), state)
    // This log still has what they said.
    assert.equal(runner.digest('kept'), digest)
    await runner.close()
  })

  it('ends with its caller, and goes on when it is asked again', async () => {
    const { runner, others } = await lived()
    const gone = new AbortController()
    let turns = 0
    others.turn = async () => {
      if (++turns === 5) gone.abort(new Error('the node stops'))
    }
    await assert.rejects(runner.forget('keyword-index', forgotten, { signal: gone.signal }), /the node stops/)
    const documents = () => totalsOf(runner.state('keyword-index')).documents
    assert.ok(documents() > TITLES && documents() < 2 * TITLES, `${documents()} documents`)
    await runner.forget('keyword-index', forgotten)
    assert.equal(documents(), TITLES)
    await runner.close()
  })
})
