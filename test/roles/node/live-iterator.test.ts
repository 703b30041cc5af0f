import assert from 'node:assert/strict'
import { liveIterator, type Pulled } from '../../../src/roles/node/live-iterator.ts'

/** Something that goes on: items are put in, a reader takes them out. */
class Source {
  items: number[] = []
  pulls = 0
  readers = 0
  failure: Error | undefined
  wake = () => {}

  follow(more: Partial<Pulled<number, string>> = {}) {
    return liveIterator<number, string>(
      () => {
        this.pulls += 1
        if (this.failure !== undefined) throw this.failure
        const items = this.items
        this.items = []
        return { items, ...more }
      },
      (wake) => {
        this.readers += 1
        this.wake = wake
        return () => {
          this.readers -= 1
        }
      },
    )
  }

  put(...items: number[]): void {
    this.items.push(...items)
    this.wake()
  }
}

describe('a live iterator', () => {
  it('hands out what is there, sleeps, and goes on when it is woken', async () => {
    const source = new Source()
    source.items = [1, 2]
    const reader = source.follow()
    assert.deepEqual([(await reader.next()).value, (await reader.next()).value], [1, 2])
    const third = reader.next()
    source.put(3)
    assert.equal((await third).value, 3)
  })

  it('does not miss what is put in while nobody waits', async () => {
    const source = new Source()
    const reader = source.follow()
    source.items = [1]
    assert.equal((await reader.next()).value, 1)
    source.put(2)
    assert.equal((await reader.next()).value, 2)
  })

  it('ends at once when it is closed while it sleeps, and lets go of its source', async () => {
    const source = new Source()
    const reader = source.follow()
    const waiting = reader.next()
    assert.equal(source.readers, 1)
    await reader.return(undefined)
    assert.deepEqual(await waiting, { done: true, value: undefined })
    assert.equal(source.readers, 0)
    assert.deepEqual(await reader.next(), { done: true, value: undefined })
    await reader.return(undefined)
    assert.equal(source.readers, 0, 'closing twice is closing once')
  })

  it('pulls nothing more than is read', async () => {
    const source = new Source()
    source.items = [1, 2, 3]
    const reader = source.follow()
    await reader.next()
    for (let place = 0; place < 100; place++) source.put(place)
    assert.equal(source.pulls, 1)
  })

  it('sleeps after each pull where a pull always finds something', async () => {
    const source = new Source()
    source.items = [1]
    const reader = source.follow({ sleep: true })
    await reader.next()
    const second = reader.next()
    source.items = [2]
    assert.equal(source.pulls, 1)
    source.wake()
    assert.equal((await second).value, 2)
  })

  it('returns its result after the last items, and lets go of its source', async () => {
    const source = new Source()
    source.items = [1]
    const reader = source.follow({ result: { value: 'all' } })
    assert.deepEqual(await reader.next(), { done: false, value: 1 })
    assert.deepEqual(await reader.next(), { done: true, value: 'all' })
    assert.equal(source.readers, 0)
  })

  it('lets go of its source when a pull fails: its reader will not close it', async () => {
    const source = new Source()
    source.failure = new Error('gone')
    const reader = source.follow()
    await assert.rejects(async () => {
      for await (const _ of reader) assert.fail()
    }, /gone/)
    assert.equal(source.readers, 0)
    assert.deepEqual(await reader.next(), { done: true, value: undefined })
  })

  it('lets go of its source when its reader breaks off', async () => {
    const source = new Source()
    source.items = [1, 2]
    for await (const _ of source.follow()) break
    assert.equal(source.readers, 0)
  })
})
