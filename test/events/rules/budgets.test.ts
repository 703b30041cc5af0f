import assert from 'node:assert/strict'
import {
  allowance,
  type BudgetHolder,
  Budgets,
  CLIENT_LIMITS,
  CLIENTS_DISK_BYTES_MAX,
  CLIENTS_TOGETHER,
  diskBytesOf,
  MEMBER_LIMITS,
  type Millis,
  type NodeId,
  OPEN_TIMES,
  RENEWALS_BEYOND,
  SHUT_MS,
} from '../../../src/events/index.ts'

const HOUR_MS = 3_600_000
const since = 1_000_000 as Millis
const id = (name: string): NodeId => name as NodeId
const client = (key: string, more: Partial<BudgetHolder> = {}): BudgetHolder => ({
  ...{ key: id(key), standing: 'client', since },
  ...more,
})

/** Budgets at a time that the test sets, over holders that it names. */
function scene(holders: Record<string, BudgetHolder>, clientsDiskBytesMax?: number) {
  const at = { ms: since as number }
  const over: string[] = []
  const budgets = new Budgets({
    clock: { now: () => at.ms as Millis },
    networkSince: since,
    holderOf: (author) => holders[author] as BudgetHolder,
    onOver: (author) => over.push(author),
    ...(clientsDiskBytesMax === undefined ? {} : { clientsDiskBytesMax }),
  })
  const take = (author: string, bytes = 10, stream: 'gossip' | 'index' = 'index'): boolean => {
    const took = budgets.forCommit().take(id(author), stream, bytes)
    if (took) budgets.add(id(author), stream, { events: 1, bytes })
    return took
  }
  const fill = (author: string, events: number, bytes: number, stream: 'gossip' | 'index' = 'index') =>
    budgets.add(id(author), stream, { events, bytes })
  return { at, over, budgets, take, fill }
}

describe('budgets for what is kept of others', () => {
  const { stock, hourly, most } = CLIENT_LIMITS.index

  it('end at the stock of an invitation, in events and in bytes, one past it', () => {
    const events = scene({ ada: client('guests') })
    events.fill('ada', stock.events - 1, 0)
    assert.equal(events.take('ada'), true)
    assert.equal(events.take('ada'), false)
    const bytes = scene({ ada: client('guests') })
    bytes.fill('ada', 1, stock.bytes - 10)
    assert.equal(bytes.take('ada', 11), false)
    assert.equal(bytes.take('ada', 10), true)
    assert.equal(bytes.take('ada', 1), false)
  })

  it('have room for so many renewals of offers beyond them, in events alone, and not for one more', () => {
    const { budgets, fill, take, over, at } = scene({ ada: client('guests'), eve: client('guests'), bob: client('friends') })
    const renew = (author: string): boolean => {
      const took = budgets.forCommit().take(id(author), 'index', 0, true)
      if (took) fill(author, 1, 0)
      return took
    }
    fill('ada', stock.events, stock.bytes)
    assert.equal(take('ada'), false)
    assert.equal(budgets.isShut(id('ada'), 'index'), true)
    assert.equal(renew('ada'), true)
    fill('eve', RENEWALS_BEYOND - 2, 0)
    assert.deepEqual([renew('eve'), renew('eve'), renew('ada')], [true, false, false])
    assert.equal(renew('bob'), true)
    // Publications have no part in it.
    assert.deepEqual([take('ada', 1), take('bob')], [false, true])
    // A renewal that finds no room shuts nobody out.
    at.ms += SHUT_MS
    fill('eve', hourly.events, 0)
    assert.equal(renew('ada'), false)
    assert.equal(budgets.isShut(id('ada'), 'index'), false)
    assert.deepEqual(over, ['ada'])
  })

  it('are shared by all keys of one invitation, and not by those of another, nor by the other stream', () => {
    const holders = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`key ${index}`, client('guests')]))
    const { take, over, fill, budgets } = scene({ ...holders, bob: client('friends') })
    for (let index = 0; index < 49; index++) fill(`key ${index}`, Math.ceil(stock.events / 49), 0)
    assert.equal(take('key 49'), false)
    assert.deepEqual(over, ['key 49'])
    assert.equal(budgets.isShut(id('key 7'), 'index'), true)
    assert.equal(budgets.isShut(id('key 7'), 'gossip'), false)
    assert.equal(take('key 7', 10, 'gossip'), true)
    assert.equal(take('bob'), true)
  })

  it('count what one commit takes before it is stored, and not what was refused or dropped', () => {
    const { budgets, fill, take } = scene({ ada: client('guests') })
    fill('ada', stock.events - 2, 0)
    const commit = budgets.forCommit()
    const taken = [1, 2, 3].map(() => commit.take(id('ada'), 'index', 1))
    assert.deepEqual(taken, [true, true, false])
    // It was not written.
    assert.deepEqual([take('ada'), take('ada'), take('ada')], [true, true, false])
  })

  it('grow with the hours since the invitation was made, up to the most there is', () => {
    const { at, take, fill, budgets } = scene({ ada: client('guests') })
    fill('ada', stock.events, 0)
    assert.equal(take('ada'), false)
    assert.equal(budgets.isShut(id('ada'), 'index'), true)
    at.ms += SHUT_MS - 1
    assert.equal(budgets.isShut(id('ada'), 'index'), true)
    at.ms += 1
    assert.equal(budgets.isShut(id('ada'), 'index'), false)
    const room = Math.floor((SHUT_MS / HOUR_MS) * hourly.events)
    for (let count = 0; count < room; count++) assert.equal(take('ada', 1), true, `${count} of ${room}`)
    assert.equal(take('ada', 1), false)
    at.ms += 10 * 365 * 24 * HOUR_MS
    fill('ada', most.events - stock.events - room - 1, 0)
    assert.deepEqual([take('ada'), take('ada')], [true, false])
  })

  it('tell of each author once while they are shut', () => {
    const { at, over, take, fill, budgets } = scene({ ada: client('guests'), eve: client('guests') })
    fill('ada', stock.events, 0)
    for (let count = 0; count < 3; count++) take('ada')
    for (let count = 0; count < 3; count++) budgets.isShut(id('eve'), 'index')
    assert.deepEqual(over, ['ada', 'eve'])
    at.ms += SHUT_MS
    take('ada', 9e3)
    assert.deepEqual(over, ['ada', 'eve'])
    take('ada', stock.bytes + most.bytes)
    assert.deepEqual(over, ['ada', 'eve', 'ada'])
  })

  it('hold all clients together, and leave members out of it', () => {
    const names = Array.from({ length: 40 }, (_, index) => `client ${index}`)
    const holders = Object.fromEntries(names.map((name) => [name, client(name)]))
    const { take, fill, budgets } = scene({
      ...{ ...holders, last: client('last') },
      member: client('members', { standing: 'member' }),
    })
    for (const name of names.slice(0, 4)) fill(name, CLIENTS_TOGETHER.index.stock.events / 4, 0)
    assert.equal(budgets.clients.index.events, CLIENTS_TOGETHER.index.stock.events)
    assert.equal(take('last'), false)
    assert.equal(budgets.isShut(id('client 9'), 'index'), true)
    assert.equal(take('last', 10, 'gossip'), true)
    assert.equal(take('member'), true)
  })

  it('give clients together no more than their share of a small disk', () => {
    const { take } = scene({ ada: client('guests') }, (1.5 * CLIENTS_DISK_BYTES_MAX) / CLIENTS_TOGETHER.index.stock.events)
    assert.deepEqual([take('ada'), take('ada')], [true, false])
  })

  it('give a member what it needs, and no more', () => {
    const { take, fill } = scene({ eve: client('one', { standing: 'member' }) })
    fill('eve', MEMBER_LIMITS.gossip.stock.events - 1, 0, 'gossip')
    assert.deepEqual([take('eve', 1, 'gossip'), take('eve', 1, 'gossip')], [true, false])
  })

  it('give all that come without an invitation one budget', () => {
    const open = client('open', { key: 'open' })
    const { take, fill } = scene({ ada: open, eve: open })
    fill('ada', OPEN_TIMES * stock.events - 1, 0)
    assert.deepEqual([take('eve'), take('ada')], [true, false])
  })

  it('move what was counted along when an author shows its invitation', () => {
    const holders: Record<string, BudgetHolder> = { ada: client('open', { key: 'open' }), bob: client('guests') }
    const { take, fill } = scene(holders)
    fill('ada', stock.events, 0)
    holders.ada = client('guests')
    assert.equal(take('ada'), false)
    assert.equal(take('bob'), false)
  })

  it('have room for what honest nodes do', () => {
    const [titles, titleBytes] = [10_000, 100]
    assert.ok(titles <= stock.events && titles * titleBytes <= stock.bytes, 'ten thousand titles at once')
    const pieces = 400e9 / 2 ** 22
    const { gossip } = CLIENT_LIMITS
    assert.ok(pieces <= gossip.stock.events && pieces * 80 <= gossip.stock.bytes, '400 GB in pieces of 4 MiB')
    const hourly = diskBytesOf(CLIENTS_TOGETHER.gossip.hourly) + diskBytesOf(CLIENTS_TOGETHER.index.hourly)
    assert.ok(hourly <= 6e6, 'all clients together add 6 MB an hour to the log')
    assert.deepEqual(allowance(gossip, -1), gossip.stock, 'a clock that is late')
  })

  it('have room again for what the log has let go of, of the invitation and of all clients together', () => {
    const { budgets, fill, take } = scene({ ada: client('guests'), bob: client('guests'), eve: client('spam') })
    fill('ada', stock.events - 5, 0)
    fill('bob', 5, 50)
    fill('bob', 3, 30, 'gossip')
    fill('eve', 700, 7_000)
    assert.equal(take('bob'), false)
    const [gossip, nothing] = [
      { events: 3, bytes: 30 },
      { events: 0, bytes: 0 },
    ]
    budgets.recount(new Map([[id('bob'), { gossip, index: { events: 5, bytes: 50 } }]]))
    assert.deepEqual(budgets.clients, { gossip, index: { events: 5, bytes: 50 } })
    const again = scene({ ada: client('guests') })
    again.fill('ada', stock.events, 0)
    again.budgets.recount(new Map([[id('ada'), { gossip: nothing, index: { events: stock.events - 1, bytes: 0 } }]]))
    assert.deepEqual([again.take('ada'), again.take('ada')], [true, false])
    again.budgets.recount(new Map())
    assert.deepEqual(again.budgets.clients, { gossip: nothing, index: nothing })
  })

  it('count the bytes of one commit together, and each event of it', () => {
    const { budgets, fill } = scene({ ada: client('guests') })
    fill('ada', 0, stock.bytes - 100)
    const commit = budgets.forCommit()
    const taken = [60, 40, 1].map((bytes) => commit.take(id('ada'), 'index', bytes))
    assert.deepEqual(taken, [true, true, false])
  })

  it('leave room to those without an invitation when one of them shows its own', () => {
    const open = client('open', { key: 'open' })
    const holders: Record<string, BudgetHolder> = { ada: open, eve: open }
    const { take, fill } = scene(holders)
    fill('ada', OPEN_TIMES * stock.events - 1, 0)
    holders.ada = client('guests')
    assert.equal(take('ada'), false)
    assert.deepEqual([take('eve'), take('eve')], [true, true])
  })

  it('tell of 256 authors of one account, and of no more while it is shut', () => {
    const names = Array.from({ length: 300 }, (_, index) => `key ${index}`)
    const { over, take, fill } = scene(Object.fromEntries(names.map((name) => [name, client('guests')])))
    fill('key 0', stock.events, 0)
    for (const name of names) assert.equal(take(name), false)
    assert.equal(over.length, 256)
  })

  it('of clients together hold nothing of what members say', () => {
    const { budgets, fill } = scene({ eve: client('one', { standing: 'member' }), ada: client('guests') })
    fill('eve', 1_000, 1_000, 'gossip')
    fill('ada', 3, 4, 'gossip')
    assert.deepEqual(budgets.clients.gossip, { events: 3, bytes: 4 })
  })

  it('hold a shut account shut for its time from the first event over it, not from the last', () => {
    const { at, budgets, fill, take } = scene({ ada: client('guests') })
    fill('ada', stock.events + 10_000, 0)
    assert.equal(take('ada'), false)
    at.ms += SHUT_MS - 1
    assert.equal(take('ada'), false)
    at.ms += 1
    assert.equal(budgets.isShut(id('ada'), 'index'), false)
  })
})
