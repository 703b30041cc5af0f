import assert from 'node:assert/strict'
import { type BulkResult, publishInBulk } from '../../../src/cli/services/bulk-publish.ts'
import type { BulkEntry } from '../../../src/cli/services/publish-list.ts'
import type { NodeId } from '../../../src/events/index.ts'
import { BULK_ITEMS_MAX, type BulkOutcome, type BulkProgress, type BulkRequest } from '../../../src/roles/index.ts'
import { HASH } from '../render/rows.ts'

describe('publishing in bulk', () => {
  const outcome = (path: string): BulkOutcome =>
    path.includes('bad')
      ? { outcome: 'failed', reason: 'no' }
      : { outcome: 'published', infoHash: HASH, title: path, sizeBytes: 1, magnet: '', ...held(path) }
  const held = (path: string) => {
    const refused = path.includes('refused') ? [{ node: HASH as NodeId, code: 'over-budget' as const, reason: 'no room' }] : []
    return { acknowledged: !path.includes('pending') && refused.length === 0, pending: 0, refused }
  }
  const entries = (count: number): BulkEntry[] => Array.from({ length: count }, (_, at) => ({ item: { path: `/${at}` } }))

  /** A node that answers when it is told to; `requests` are those that it has. */
  const node = () => {
    const requests: { request: BulkRequest; answer(error?: Error): void }[] = []
    let wake = () => {}
    return {
      requests,
      async until(count: number) {
        while (requests.length < count)
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      },
      async *publishMany(request: BulkRequest): AsyncGenerator<BulkProgress, BulkOutcome[], void> {
        const { promise, resolve, reject } = Promise.withResolvers<void>()
        requests.push({ request, answer: (error) => (error === undefined ? resolve() : reject(error)) })
        wake()
        yield { done: 1, bytes: 10 }
        await promise
        return request.items.map(({ path }) => outcome(path))
      },
    }
  }
  const watch = () => {
    const results: BulkResult[] = []
    const progress: BulkProgress[] = []
    return {
      ...{ results, progress },
      onResult: async (result: BulkResult) => void results.push(result),
      onProgress: (at: BulkProgress) => void progress.push({ ...at }),
    }
  }
  const plain = { hidden: false, hybrid: false }

  it('asks for so many at a time, twice at once, and takes no more of a list meanwhile', async () => {
    const [client, watched] = [node(), watch()]
    let taken = 0
    const list = async function* () {
      for (const entry of entries(BULK_ITEMS_MAX * 4 + 1)) {
        taken += 1
        yield entry
      }
    }
    const counts = publishInBulk(client, list(), { hidden: true, hybrid: true }, watched)
    await client.until(2)
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual([client.requests.length, taken], [2, 2 * BULK_ITEMS_MAX + 1])
    const [first] = client.requests
    assert.deepEqual([first?.request.items.length, first?.request.hidden, first?.request.hybrid], [BULK_ITEMS_MAX, true, true])
    for (let at = 0; at < 5; at++) {
      await client.until(at + 1)
      client.requests[at]?.answer()
    }
    const total = BULK_ITEMS_MAX * 4 + 1
    assert.deepEqual(await counts, { published: total, acknowledged: total, refused: 0, unchanged: 0, failed: 0 })
    assert.deepEqual(
      watched.results.map(({ path }) => path),
      entries(total).map((entry) => ('item' in entry ? entry.item.path : '')),
    )
    assert.deepEqual(watched.progress.at(-1), { done: total, bytes: 50 })
  })

  it('asks for fewer at a time where their titles are long', async () => {
    const [client, watched] = [node(), watch()]
    const long = entries(3).map((entry) => ('item' in entry ? { item: { ...entry.item, title: 'x'.repeat(600_000) } } : entry))
    const counts = publishInBulk(client, long, plain, watched)
    for (let at = 0; at < 3; at++) {
      await client.until(at + 1)
      assert.equal(client.requests[at]?.request.items.length, 1)
      client.requests[at]?.answer()
    }
    assert.equal((await counts).published, 3)
  })

  it('tells what failed by its line, whether the list or the node says so', async () => {
    const [client, watched] = [node(), watch()]
    const list: BulkEntry[] = [
      { line: 1, item: { path: '/a' } },
      { line: 2, problem: 'is broken' },
      { line: 4, item: { path: '/bad' } },
    ]
    const counts = publishInBulk(client, list, plain, watched)
    await client.until(1)
    client.requests[0]?.answer()
    assert.deepEqual(await counts, { published: 1, acknowledged: 1, refused: 0, unchanged: 0, failed: 2 })
    assert.deepEqual(
      watched.results.map((result) => [result.line, result.path, result.outcome === 'failed' ? result.reason : '']),
      [
        [2, null, 'is broken'],
        [1, '/a', ''],
        [4, '/bad', 'no'],
      ],
    )
  })

  it('counts what waits for index nodes, and what they do not take', async () => {
    const client = node()
    const list = ['/a', '/pending', '/refused', '/refused too'].map((path) => ({ item: { path } }))
    const counts = publishInBulk(client, list, plain, watch())
    await client.until(1)
    client.requests[0]?.answer()
    assert.deepEqual(await counts, { published: 4, acknowledged: 1, refused: 2, unchanged: 0, failed: 0 })
  })

  it('ends with what a call fails with, once the other has ended, and begins no further one', async () => {
    const [client, watched] = [node(), watch()]
    const counts = publishInBulk(client, entries(BULK_ITEMS_MAX * 5), plain, watched)
    const ended = assert.rejects(counts, /the node is gone/)
    await client.until(2)
    client.requests[0]?.answer(new Error('the node is gone'))
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    client.requests[1]?.answer()
    await ended
    assert.deepEqual([client.requests.length, watched.results.length], [2, BULK_ITEMS_MAX])
  })

  it('of nothing asks for nothing', async () => {
    const client = node()
    assert.deepEqual(await publishInBulk(client, [], plain, watch()), {
      published: 0,
      acknowledged: 0,
      refused: 0,
      unchanged: 0,
      failed: 0,
    })
    assert.equal(client.requests.length, 0)
  })
})
