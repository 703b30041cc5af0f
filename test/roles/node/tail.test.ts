import assert from 'node:assert/strict'
import { tail } from '../../../src/roles/node/tail.ts'
import { ServiceError } from '../../../src/roles/services.ts'
import { hash } from '../../projections/envelopes.ts'
import { openSmallLog, type SmallLog } from '../small-log.ts'

describe('the tail of a log', () => {
  let own: SmallLog
  beforeEach(async () => {
    own = await openSmallLog()
  })
  afterEach(() => own[Symbol.asyncDispose]())
  const append = (...names: string[]) =>
    own.log.append(names.map((name) => ({ event: { kind: 'download.completed', infoHash: hash(name) } })))
  const pause = () => own.log.append([{ event: { kind: 'download.paused', infoHash: hash('a') } }])

  it('gives each event as it is appended, from now on or from where it is told, in order', async () => {
    await append('a', 'b')
    const now = tail(own.log, {})[Symbol.asyncIterator]()
    const past = tail(own.log, { from: 1 })[Symbol.asyncIterator]()
    assert.equal((await past.next()).value.seq, 2)
    const next = now.next()
    await append('c', 'd')
    assert.equal((await next).value.seq, 3)
    assert.deepEqual([(await now.next()).value.seq, (await past.next()).value.seq, (await past.next()).value.seq], [4, 3, 4])
    await Promise.all([now.return?.(), past.return?.()])
  })

  it('passes over long stretches of other kinds, and gives nothing of them', async () => {
    for (let round = 0; round < 3; round++) await append(...Array.from({ length: 700 }, (_, place) => `${place}`))
    await pause()
    const reader = tail(own.log, { from: 0, kinds: ['download.paused'] })[Symbol.asyncIterator]()
    assert.equal((await reader.next()).value.seq, 2_101)
    const next = reader.next()
    await append('x')
    await pause()
    assert.equal((await next).value.seq, 2_103)
    await reader.return?.()
  })

  it('refuses a place that the log has not reached: what comes there is not what its reader has seen', async () => {
    await append('a')
    assert.throws(() => tail(own.log, { from: 2 }), { code: 'usage', message: 'the log has events 1 to 1, not 2' })
  })

  it('ends at once when its reader goes, and refuses kinds that do not exist', async () => {
    const reader = tail(own.log, {})[Symbol.asyncIterator]()
    const waiting = reader.next()
    await reader.return?.()
    assert.equal((await waiting).done, true)
    for (const kind of ['no.such', 'constructor', '__proto__']) {
      assert.throws(() => tail(own.log, { kinds: [kind] }), ServiceError, kind)
    }
  })
})
