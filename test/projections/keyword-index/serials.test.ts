import assert from 'node:assert/strict'
import { Serials } from '../../../src/projections/keyword-index/serials.ts'
import { emptyTable } from './small-rows.ts'

describe('serials of listings', () => {
  it('hold until they are ended, each for itself, over a restart', async () => {
    const table = await emptyTable()
    const serials = new Serials(table, 1)
    assert.equal(serials.next, 1)
    // A row holds 8,192 of them.
    const ended = [1, 8, 9, 8_191, 8_192, 20_000]
    for (const serial of ended) {
      assert.equal(serials.isDead(serial), false)
      serials.end(serial)
    }
    serials.flush()
    const around = ended.flatMap((serial) => [serial - 1, serial, serial + 1])
    for (const each of [serials, new Serials(table, 20_001)])
      for (const serial of [...around, 100_000]) assert.equal(each.isDead(serial), ended.includes(serial), String(serial))
  })

  it('are stored when they are flushed, those before with them, and none that was ended since', async () => {
    const table = await emptyTable()
    const serials = new Serials(table, 10)
    serials.end(2)
    assert.equal(new Serials(table, 10).isDead(2), false)
    serials.flush()
    const again = new Serials(table, 10)
    again.end(3)
    assert.equal(new Serials(table, 10).isDead(3), false, 'what is stored is not what is in memory')
    again.flush()
    const third = new Serials(table, 10)
    assert.deepEqual([third.isDead(2), third.isDead(3), third.isDead(4)], [true, true, false])
    serials.end(5)
    assert.equal(new Serials(table, 10).isDead(5), false)
  })

  it('are looked for as far as there are any', async () => {
    const table = await emptyTable()
    const serials = new Serials(table, 1)
    for (const serial of [1, 8_193]) serials.end(serial)
    serials.flush()
    const first = new Serials(table, 8_192)
    assert.deepEqual([first.isDead(1), first.isDead(8_193), new Serials(table, 8_193).isDead(8_193)], [true, false, true])
  })
})
