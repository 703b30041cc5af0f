import { deepEqual, equal, ok } from 'node:assert/strict'
import type { SignedEvent } from '../../../src/events/index.ts'
import { EVENTS_BYTES_MAX, type EventName, messageBytes } from '../../../src/roles/index-node/index-messages.ts'
import { fittingIndexEvents, signedIndexEvents } from '../../../src/roles/index-node/signed-events.ts'
import { Author } from '../index-network.ts'

const COUNT = 900
const READ_AT_ONCE = 32

describe('signed events by their names', () => {
  let author: Author
  let all: SignedEvent[]
  let names: EventName[]
  /** Places of each read, and whether what was asked for has been pruned. */
  let reads: number[][]
  const gone = new Set<number>()
  const log = {
    seqOf: (id: Parameters<Author['log']['seqOf']>[0]) => author.log.seqOf(id),
    async readSignedAt(seqs: readonly number[]) {
      reads.push([...seqs])
      return author.log.readSignedAt(seqs.filter((seq) => !gone.has(seq)))
    },
  }
  beforeEach(async () => {
    author = new Author(1)
    all = await author.publishes(...Array.from({ length: COUNT }, (_, at) => `orbit number ${at}`))
    names = Array.from({ length: COUNT }, (_, at) => ({ author: author.id, authorSeq: COUNT - at }))
    reads = []
    gone.clear()
  })

  it('come in the order asked, without those that are not held, some dozens at a time', async () => {
    const unknown = { author: new Author(2).id, authorSeq: 1 }
    deepEqual(await signedIndexEvents(log, [unknown, ...names, { author: author.id, authorSeq: COUNT + 1 }]), all.toReversed())
    equal(reads.flat().length, COUNT)
    ok(reads.every(({ length }) => length <= READ_AT_ONCE))
  })

  it('leave out what was pruned while they were read', async () => {
    gone.add(1).add(40)
    deepEqual(await signedIndexEvents(log, names), all.filter((_, at) => at !== 0 && at !== 39).toReversed())
  })

  it('fit one message by their places in the log, and nothing is read that does not fit', async () => {
    const bytesOf = (events: readonly SignedEvent[]) => events.reduce((sum, event) => sum + messageBytes(event), 0)
    const got: SignedEvent[] = []
    for (let left = names; left.length > 0; ) {
      reads = []
      const some = await fittingIndexEvents(log, left)
      ok(some.length > 100 && bytesOf(some) <= EVENTS_BYTES_MAX)
      ok(reads.flat().length <= some.length + READ_AT_ONCE)
      got.push(...some)
      left = left.slice(0, left.length - some.length)
    }
    deepEqual(got, all)
  })
})
