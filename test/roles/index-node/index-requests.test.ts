import assert from 'node:assert/strict'
import { ingestIndexEvents } from '../../../src/roles/index-node/index-requests.ts'
import { isIndexKind } from '../../../src/roles/index-node/index-view.ts'
import { verifySignature } from '../../events/test-network.ts'
import { Author } from '../index-network.ts'
import { openSmallLog } from '../small-log.ts'

describe('a publication at its owner', () => {
  const view = { isIndexKind } as Parameters<typeof ingestIndexEvents>[1]['view']

  it('is told to be stored when it is on the disk, and not before', async () => {
    await using own = await openSmallLog()
    const { promise, resolve } = Promise.withResolvers<void>()
    own.disk.synced = promise
    const events = await new Author(1).publishes('quiet orbit')
    let said: unknown
    const telling = ingestIndexEvents(events, { log: own.log, verify: verifySignature, view }).then((outcomes) => {
      said = outcomes
    })
    for (let turn = 0; turn < 10; turn++) await new Promise((next) => setImmediate(next))
    assert.equal(said, undefined)
    resolve()
    await telling
    assert.deepEqual(said, ['stored'])
    assert.equal(own.log.head, 1)
  })

  it('is not told to be stored by a disk that is full', async () => {
    await using own = await openSmallLog()
    own.disk.isFull = true
    const events = await new Author(1).publishes('quiet orbit')
    await assert.rejects(ingestIndexEvents(events, { log: own.log, verify: verifySignature, view }), /no space left/)
    own.disk.isFull = false
    assert.deepEqual(await ingestIndexEvents(events, { log: own.log, verify: verifySignature, view }), ['stored'])
    assert.deepEqual(await ingestIndexEvents(events, { log: own.log, verify: verifySignature, view }), ['duplicate'])
  })
})
