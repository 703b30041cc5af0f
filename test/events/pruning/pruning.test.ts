import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Envelope, LogError } from '../../../src/events/index.ts'
import { bytesIn, planPruning, readSnapshot } from '../../../src/events/pruning/pruning.level.ts'
import type { PruneRequest } from '../../../src/events/pruning/retention.ts'
import { segmentKey, snapshotKey, summaryKey } from '../../../src/events/segments/segment-keys.ts'
import { sealValue } from '../../../src/events/segments/segment-value.level.ts'
import { noUpcast, numbered } from '../samples.ts'
import { storeScene } from '../segments/store-scene.ts'

const damage =
  (...ranges: readonly object[]) =>
  (error: unknown) => {
    assert.ok(error instanceof LogError && error.detail.code === 'LOG_DAMAGED', String(error))
    assert.deepEqual(error.detail.ranges, ranges)
    return true
  }

describe('what a pruning is to write', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-pruning-'))
  let directories = 0
  after(() => rmSync(root, { recursive: true }))

  /** A log of segments with so many events each, of 64 or more. */
  async function scene(...counts: readonly number[]) {
    const one = await storeScene(join(root, String(directories++), 'log'))
    for (const count of counts)
      await one.log.append(
        Array.from({ length: count }, (_, index) => numbered(index)),
        { durable: false },
      )
    const plan = (request: Partial<PruneRequest> = {}, from = 1, last = one.log.head) =>
      planPruning(
        one.database,
        { directory: one.directory, upcast: noUpcast },
        { ...{ to: one.log.head, kinds: ['member.left'], drop: () => true }, ...request },
        ...([from, last] as const),
      )
    return Object.assign(one, { plan })
  }
  const isEven = ({ seq }: Envelope): boolean => seq % 2 === 0

  it('are the segments without what goes, of those kinds and up to that place', async () => {
    await using one = await scene(64, 64, 64)
    const { thinned, rows, next } = await one.plan({ drop: isEven, to: 100 })
    assert.deepEqual(
      thinned.map(({ summary, events }) => [summary.first, summary.removal?.what, events]),
      [
        [1, 'thinned', 32],
        [65, 'thinned', 18],
      ],
    )
    assert.deepEqual([rows.map(({ first }) => first), next], [[1, 65], undefined])
    assert.deepEqual(
      rows,
      thinned.map(({ summary }) => summary),
    )
    for (const nothing of [
      await one.plan({ kinds: ['member.alive'] }),
      await one.plan({ drop: () => false }),
      await one.plan({ to: 0 }),
    ])
      assert.deepEqual(nothing, { thinned: [], rows: [], next: undefined })
    assert.deepEqual(
      (await one.plan({}, 65, 128)).thinned.map(({ summary }) => summary.first),
      [65],
      'from here, and up to there',
    )
  })

  it('are 64 segments at once, with where to go on', async () => {
    await using one = await scene(...Array.from({ length: 66 }, () => 64))
    const first = await one.plan()
    assert.deepEqual([first.thinned.length, first.next], [64, 64 * 64 + 1])
    const rest = await one.plan({}, first.next)
    assert.deepEqual([rest.thinned.length, rest.next], [2, undefined])
  })

  it('are one row where stretches that are empty stand side by side, also with one that was empty before', async () => {
    await using one = await scene(64, 64, 64, 64)
    const { rows } = await one.plan({ to: 128 })
    assert.deepEqual(
      rows.map(({ first, count }) => [first, count]),
      [[1, 128]],
    )
    const split = await one.plan({ drop: ({ seq }) => seq <= 64 || isEven({ seq } as Envelope) })
    assert.deepEqual(
      split.rows.map(({ first, count, removal }) => [first, count, removal?.what]),
      [
        [1, 64, 'pruned'],
        [65, 64, 'thinned'],
        [129, 64, 'thinned'],
        [193, 64, 'thinned'],
      ],
    )
    await one.store.prune({ to: 128, kinds: ['member.left'], drop: () => true }, 1)
    const more = await one.plan({ to: 192 }, 1)
    assert.deepEqual(
      more.rows.map(({ first, count }) => [first, count]),
      [[1, 192]],
    )
    assert.deepEqual(
      more.thinned.map(({ summary }) => summary.first),
      [129],
      'the one before was empty already',
    )
    const apart = await one.plan({ drop: ({ seq }) => seq > 192 })
    assert.deepEqual(
      apart.rows.map(({ first }) => first),
      [193],
    )
    await one.database.put(summaryKey(1), Buffer.from('damaged'))
    assert.deepEqual(
      (await one.plan({ to: 192 }, 1)).rows.map(({ first }) => first),
      [129],
      'it is left as it is',
    )
  })

  it('are nothing of what is damaged', async () => {
    await using one = await scene(64, 64)
    const range = { from: 65, to: 128 }
    for (const key of [segmentKey(65), summaryKey(65)]) {
      const value = (await one.database.get(key)) ?? assert.fail()
      await one.database.put(key, Buffer.from(value.with(20, (value[20] ?? 0) ^ 1)))
      await assert.rejects(one.plan(), damage({ ...range, what: 'altered' }))
      await one.database.put(key, sealValue([Buffer.from('nothing')]))
      await assert.rejects(one.plan(), damage({ ...range, what: 'altered' }))
      await one.database.del(key)
      await assert.rejects(one.plan(), damage({ ...range, what: 'missing' }))
      await one.database.put(key, value)
    }
    assert.equal((await one.plan()).thinned.length, 2)
  })

  it('has rows that stand for it, of one projection each', async () => {
    await using one = await scene()
    for (const [projection, row, value] of [
      ['names', 'b', '2'],
      ['names', 'a', '電影'],
      ['name', 'c', '3'],
      ['names2', 'd', '4'],
    ] as const)
      await one.database.put(snapshotKey(projection, row), sealValue([Buffer.from(value)]))
    assert.deepEqual(await readSnapshot(one.database, 'names'), [
      ['a', '電影'],
      ['b', '2'],
    ])
    assert.deepEqual(await readSnapshot(one.database, 'name'), [['c', '3']])
    assert.deepEqual(await readSnapshot(one.database, 'other'), [])
    await one.database.put(snapshotKey('names', 'b'), Buffer.from('damaged'))
    await assert.rejects(readSnapshot(one.database, 'names'), damage({ from: 1, to: 1, what: 'altered' }))
  })

  it('is weighed by the files of a directory, without those that go meanwhile', async () => {
    const path = join(root, 'files')
    mkdirSync(path)
    assert.equal(await bytesIn(path), 0)
    writeFileSync(join(path, 'one'), new Uint8Array(1_000))
    writeFileSync(join(path, 'two'), new Uint8Array(234))
    symlinkSync('nowhere', join(path, 'gone'))
    assert.equal(await bytesIn(path), 1_234)
  })
})
