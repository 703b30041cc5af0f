import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../../../src/events/leveldb/log-database.level.ts'
import { asUnavailable, RenewedDatabase } from '../../../src/events/leveldb/renewed-database.level.ts'

const KEY = new Uint8Array([1])

describe('a database that is opened anew after a failed write', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-renewed-'))
  after(() => rmSync(root, { recursive: true, force: true }))

  it('is opened by the next read where there was no room a moment ago, once for all that ask, and never after its end', async () => {
    const path = join(root, 'log')
    const database = await openDatabase(path, true)
    await database.put(KEY, Buffer.from('kept'))
    let opened = 0
    let refusals = 2
    const handle = new RenewedDatabase(database, async () => {
      opened += 1
      if (refusals-- > 0) throw new Error('No space left on device')
      return openDatabase(path, false)
    })
    assert.equal(await handle.readable, database)
    const iterator = database.iterator()
    await assert.rejects(handle.renew(), /No space left/)
    const refused = { code: 'LOG_UNAVAILABLE', message: 'the event log cannot be read: No space left on device' }
    await assert.rejects(async () => handle.readable, refused)
    const [one, other] = await Promise.all([handle.readable, handle.readable])
    assert.equal(opened, 3)
    assert.equal(one, other)
    assert.equal((await one.get(KEY))?.toString(), 'kept')
    const cut = await iterator.next().then(() => assert.fail('it was read'), asUnavailable)
    assert.equal((cut as { code: string }).code, 'LOG_UNAVAILABLE')
    await handle.close()
    assert.throws(() => handle.readable, { code: 'LOG_CLOSED' })
    assert.deepEqual(readdirSync(root), ['log'], 'what was written to see whether there is room is gone')
  })

  it('that is closed while it is being opened is open no more afterwards', async () => {
    const path = join(root, 'closing')
    const database = await openDatabase(path, true)
    await database.close()
    const { promise, resolve } = Promise.withResolvers<void>()
    let opened: Awaited<ReturnType<typeof openDatabase>> | undefined
    const handle = new RenewedDatabase(database, async () => {
      await promise
      opened = await openDatabase(path, false)
      return opened
    })
    const reading = handle.readable
    const closing = handle.close()
    resolve()
    await Promise.all([reading, closing])
    assert.equal(opened?.status, 'closed')
  })
})
