import assert from 'node:assert/strict'
import { type ContentRules, type Millis, upcaster } from '../../../src/events/index.ts'
import { openMemoryLog } from '../../../src/events/log/event-log.memory.ts'
import type { Overlay, RequestHandler } from '../../../src/network/overlay.ts'
import {
  decodePublishReply,
  encodePublish,
  encodePublishReply,
  INDEX_METHODS,
} from '../../../src/roles/index-node/index-messages.ts'
import { ingestIndexEvents, serveIndexRequests } from '../../../src/roles/index-node/index-requests.ts'
import { isIndexKind } from '../../../src/roles/index-node/index-view.ts'
import { signerOf } from '../../events/samples.ts'
import { verifySignature } from '../../events/test-network.ts'
import { Author } from '../index-network.ts'
import { openSmallLog } from '../small-log.ts'

describe('a publication at its owner', () => {
  const view = { isIndexKind } as Parameters<typeof ingestIndexEvents>[1]['view']

  const isOverBudget = () => false

  it('is told to be stored when it is on the disk, and not before', async () => {
    await using own = await openSmallLog()
    const { promise, resolve } = Promise.withResolvers<void>()
    own.disk.synced = promise
    const events = await new Author(1).publishes('quiet orbit')
    let said: unknown
    const telling = ingestIndexEvents(events, { log: own.log, verify: verifySignature, view, isOverBudget }).then(
      (outcomes) => {
        said = outcomes
      },
    )
    for (let turn = 0; turn < 10; turn++) await new Promise((next) => setImmediate(next))
    assert.equal(said, undefined)
    resolve()
    await telling
    assert.deepEqual(said, ['stored'])
    assert.equal(own.log.head, 1)
  })

  it('is told to be over the budget where no more is kept of its author, and is stored once there is room', async () => {
    let room = 1
    const rules: ContentRules = {
      isRevoked: () => false,
      isShut: () => false,
      lamportMax: () => 1_000,
      ownLamportMax: () => 1_000,
      judge: () => 'take',
      budget: () => ({ take: () => room-- > 0 }),
    }
    await using log = openMemoryLog({ signer: signerOf(9), clock: { now: () => 1 as Millis }, upcast: upcaster([]), rules })
    const events = await new Author(1).publishes('quiet orbit', 'loud orbit')
    const publish = () => ingestIndexEvents(events, { log, verify: verifySignature, view, isOverBudget })
    assert.deepEqual(await publish(), ['stored', 'over-budget'])
    assert.deepEqual(decodePublishReply(encodePublishReply(['stored', 'over-budget'])), ['stored', 'over-budget'])
    room = 1
    assert.deepEqual(await publish(), ['duplicate', 'stored'])
  })

  it('waits two seconds for the admission of its author, and is told to be deferred if that does not come', async () => {
    let isAdmitted = false
    const rules: ContentRules = {
      ...{ isRevoked: () => false, isShut: () => false, lamportMax: () => 1_000, ownLamportMax: () => 1_000 },
      judge: () => (isAdmitted ? 'take' : 'defer'),
    }
    await using log = openMemoryLog({ signer: signerOf(9), clock: { now: () => 1 as Millis }, upcast: upcaster([]), rules })
    const handlers = new Map<string, RequestHandler>()
    const waits: number[] = []
    let comes = false
    serveIndexRequests({
      ...{ log, view, verify: verifySignature, isOverBudget, yieldToEventLoop: async () => {} },
      overlay: { serve: (method: string, handler: RequestHandler) => handlers.set(method, handler) } as unknown as Overlay,
      sections: undefined as never,
      untilAdmitted: async (waitMs) => {
        waits.push(waitMs)
        isAdmitted = comes
      },
    })
    const body = encodePublish(await new Author(1).publishes('quiet orbit', 'loud orbit'))
    const publish = async () => decodePublishReply((await handlers.get(INDEX_METHODS.publish)?.(signerOf(1).id, body)) ?? body)
    assert.deepEqual([await publish(), log.head], [['deferred', 'deferred'], 0])
    comes = true
    assert.deepEqual([await publish(), log.head], [['stored', 'stored'], 2])
    assert.deepEqual(
      [await publish(), waits],
      [
        ['duplicate', 'duplicate'],
        [2_000, 2_000],
      ],
    )
  })

  it('costs no check of a signature where nothing more is taken of its author', async () => {
    await using own = await openSmallLog()
    let checked = 0
    const verify: typeof verifySignature = (...of) => {
      checked += 1
      return verifySignature(...of)
    }
    const events = await new Author(1).publishes('quiet orbit')
    const publish = (shut: boolean) => ingestIndexEvents(events, { log: own.log, verify, view, isOverBudget: () => shut })
    assert.deepEqual([await publish(true), checked], [['over-budget'], 0])
    assert.deepEqual([await publish(false), checked], [['stored'], 1])
    assert.deepEqual([await publish(true), checked], [['duplicate'], 1])
  })

  it('is not told to be stored by a disk that is full', async () => {
    await using own = await openSmallLog()
    own.disk.isFull = true
    const events = await new Author(1).publishes('quiet orbit')
    await assert.rejects(
      ingestIndexEvents(events, { log: own.log, verify: verifySignature, view, isOverBudget }),
      /no space left/,
    )
    own.disk.isFull = false
    assert.deepEqual(await ingestIndexEvents(events, { log: own.log, verify: verifySignature, view, isOverBudget }), ['stored'])
    assert.deepEqual(await ingestIndexEvents(events, { log: own.log, verify: verifySignature, view, isOverBudget }), [
      'duplicate',
    ])
  })
})
