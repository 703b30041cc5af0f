import assert from 'node:assert/strict'
import { CheckpointWriter } from '../../src/projections/checkpoint-writer.ts'
import { type Projection, type ProjectionStore, type Row, type RowChange, Snapshots } from '../../src/projections/index.ts'
import { openMemoryProjectionStore } from '../../src/projections/projection-store.memory.ts'

type State = { changes: RowChange[] }
const projection: Projection<State> = {
  name: 'p',
  version: 1,
  handles: [],
  initial: () => ({ changes: [] }),
  apply: (state) => state,
  changes: (state) => state.changes.splice(0),
  rows: () => [],
  load: () => ({ changes: [] }),
}

/** A writer over a store of which each write waits until the test lets it go, or fail. */
function scene(everyEvents = 1_000_000) {
  const inner = openMemoryProjectionStore()
  const waiting: ((error?: Error) => void)[] = []
  const held = async (run: () => Promise<void>): Promise<void> => {
    await new Promise<void>((resolve, reject) => waiting.push((error) => (error === undefined ? resolve() : reject(error))))
    await run()
  }
  const store: ProjectionStore = {
    ...inner,
    commit: (...row) => held(() => inner.commit(...row)),
    replace: (...rows) => held(() => inner.replace(...rows)),
    keepSnapshot: (name) => held(() => inner.keepSnapshot(name)),
  }
  const notices: string[] = []
  const snapshots = new Snapshots(store, { everyEvents, countMax: 4 })
  const writer = new CheckpointWriter(store, projection as Projection<unknown>, snapshots, ({ what }) => notices.push(what))
  const state: State = projection.initial()
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  /** Ends the write that waits. */
  const end = async (error?: Error): Promise<void> => {
    await turn()
    assert.equal(waiting.length, 1, 'one write at a time')
    waiting.shift()?.(error)
    await turn()
  }
  const rows = async (): Promise<readonly Row[] | undefined> => (await inner.load('p'))?.rows
  return { writer, state, waiting, end, rows, notices, turn, inner }
}

describe('the writer of checkpoints', () => {
  it('writes one commit after the other, and counts each when it is stored', async () => {
    const { writer, state, waiting, end, turn, rows } = scene()
    state.changes.push(['a', '1'])
    const first = writer.write(state, 1)
    state.changes.push(['a', '2'])
    const second = writer.write(state, 2)
    await turn()
    assert.equal(waiting.length, 1)
    assert.equal(writer.checkpoint, 0)
    await end()
    assert.equal(await first, true)
    if (waiting.length > 0) await end()
    assert.equal(await second, true)
    assert.equal(writer.checkpoint, 2)
    assert.deepEqual(await rows(), [['a', '2']])
  })

  it('brings the rows of a failed commit with the next one, under what changed since', async () => {
    const { writer, state, end, rows, notices } = scene()
    state.changes.push(['a', '1'], ['b', '1'], ['c', '1'])
    const first = writer.write(state, 1)
    await new Promise<void>((resolve) => setImmediate(resolve))
    state.changes.push(['a', '2'], ['b', null])
    const second = writer.write(state, 2)
    await end(new Error('no space left on device'))
    assert.equal(await first, false)
    assert.deepEqual(notices, ['commit-failed'])
    await end()
    assert.equal(await second, true)
    assert.deepEqual(await rows(), [
      ['a', '2'],
      ['c', '1'],
    ])
  })

  it('still puts a state that was made anew in place of the old rows when that failed once', async () => {
    const { writer, state, end, rows, inner } = scene()
    await inner.commit('p', 1, 9, [['old', '1']])
    writer.restart([['kept', '1']])
    state.changes.push(['new', '1'])
    const first = writer.write(state, 3)
    await end(new Error('no space left on device'))
    assert.equal(await first, false)
    const second = writer.write(state, 3)
    await end()
    assert.equal(await second, true)
    assert.deepEqual(await rows(), [
      ['kept', '1'],
      ['new', '1'],
    ])
  })

  it('has written when the snapshot is there too', async () => {
    const { writer, state, end, turn, inner } = scene(1)
    state.changes.push(['a', '1'])
    let isDone = false
    const write = writer.write(state, 1).then((good) => {
      isDone = true
      return good
    })
    await end()
    await turn()
    assert.equal(isDone, false)
    await end()
    assert.equal(await write, true)
    assert.deepEqual(await inner.snapshots('p'), [{ version: 1, seq: 1 }])
  })

  it('leaves the rows that are stored where only some have changed', async () => {
    const { writer, state, end, rows, inner } = scene()
    await inner.commit('p', 1, 5, [['old', '1']])
    writer.loaded(5)
    assert.equal(writer.checkpoint, 5)
    state.changes.push(['new', '1'])
    const write = writer.write(state, 6)
    await end()
    assert.equal(await write, true)
    assert.deepEqual(await rows(), [
      ['new', '1'],
      ['old', '1'],
    ])
  })

  it('writes nothing where nothing is new, and the checkpoint alone where events changed no row', async () => {
    const { writer, state, end, turn, waiting, inner } = scene()
    await inner.commit('p', 1, 5, [['old', '1']])
    writer.loaded(5)
    assert.equal(await writer.write(state, 5), true)
    await turn()
    assert.equal(waiting.length, 0)
    const write = writer.write(state, 6)
    await end()
    assert.equal(await write, true)
    assert.deepEqual([await inner.load('p'), writer.checkpoint], [{ version: 1, checkpoint: 6, rows: [['old', '1']] }, 6])
    // A row that changed after the event that the store has reached, as when a state was mended.
    state.changes.push(['old', '2'])
    const again = writer.write(state, 6)
    await end()
    assert.equal(await again, true)
    assert.deepEqual((await inner.load('p'))?.rows, [['old', '2']])
  })

  it('puts a state that was made anew, and is empty, in place of what is stored', async () => {
    const { writer, state, end, inner } = scene()
    await inner.commit('p', 1, 5, [['old', '1']])
    writer.loaded(5)
    writer.restart()
    assert.equal(writer.checkpoint, 0)
    // What was there for a moment is no row.
    state.changes.push(['gone', null])
    const write = writer.write(state, 0)
    await end()
    assert.equal(await write, true)
    assert.deepEqual(await inner.load('p'), { version: 1, checkpoint: 0, rows: [] })
  })

  for (const error of [undefined, new Error('no space left on device')]) {
    it(`counts nothing of a commit during which the state was made anew, ${error ? 'and which failed' : 'and which went well'}`, async () => {
      const { writer, state, end, rows, turn, notices } = scene(1)
      state.changes.push(['old', '1'], ['both', '1'])
      const first = writer.write(state, 4)
      await turn()
      writer.restart([['begun', '1']])
      await end(error)
      assert.deepEqual([await first, writer.checkpoint], [error === undefined, 0])
      assert.deepEqual(notices, error === undefined ? [] : ['commit-failed'])
      state.changes.push(['both', '2'])
      const second = writer.write(state, 2)
      await end()
      // And a snapshot of it.
      await end()
      assert.deepEqual([await second, writer.checkpoint], [true, 2])
      assert.deepEqual(await rows(), [
        ['begun', '1'],
        ['both', '2'],
      ])
    })
  }
})
