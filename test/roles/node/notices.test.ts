import assert from 'node:assert/strict'
import { NoticeBoard } from '../../../src/roles/node/notices.ts'
import type { Notice } from '../../../src/roles/services.ts'
import { VirtualTime } from '../../sim/virtual-time.ts'

const NOTICES_KEPT = 500

describe('the notice board', () => {
  const board = () => new NoticeBoard(new VirtualTime(5))
  const post = (to: NoticeBoard, from: number, to_: number) => {
    for (let place = from; place <= to_; place++) to.post('info', `n${place}`, 'text')
  }
  const take = async (reader: AsyncIterator<Notice>, count: number): Promise<string[]> => {
    const codes: string[] = []
    while (codes.length < count) codes.push(((await reader.next()).value as Notice).code)
    return codes
  }

  it('gives the last ones that are asked for, then each new one', async () => {
    const notices = board()
    post(notices, 1, 3)
    const reader = notices.follow(2)[Symbol.asyncIterator]()
    assert.deepEqual(await take(reader, 2), ['n2', 'n3'])
    const next = reader.next()
    post(notices, 4, 4)
    assert.deepEqual((await next).value, { at: 5, level: 'info', code: 'n4', text: 'text' })
    await reader.return?.()
  })

  it('gives none of the past unless asked, and no more than there is', async () => {
    const notices = board()
    post(notices, 1, 3)
    const fresh = notices.follow()[Symbol.asyncIterator]()
    post(notices, 4, 4)
    assert.deepEqual(await take(fresh, 1), ['n4'])
    const all = notices.follow(1_000)[Symbol.asyncIterator]()
    assert.deepEqual(await take(all, 4), ['n1', 'n2', 'n3', 'n4'])
    await Promise.all([fresh.return?.(), all.return?.()])
  })

  it('keeps a bounded number: a reader that falls behind skips to what is kept', async () => {
    const notices = board()
    const reader = notices.follow()[Symbol.asyncIterator]()
    post(notices, 1, NOTICES_KEPT + 200)
    const codes = await take(reader, NOTICES_KEPT)
    assert.deepEqual([codes[0], codes.at(-1)], ['n201', `n${NOTICES_KEPT + 200}`])
    await reader.return?.()
  })
})
