import assert from 'node:assert/strict'
import type { NodeId } from '../../src/events/index.ts'
import { addressId } from '../../src/events/index.ts'
import { BanList } from '../../src/torrent/ban-list.ts'
import { EARLY_FIRST_MS, EARLY_MAX_MS, EARLY_MS, KnownEndpoints } from '../../src/torrent/known-endpoints.ts'

const key = 'a'.repeat(64) as NodeId
const other = 'b'.repeat(64) as NodeId

describe('the ban list', () => {
  it('asks for proof at the address of a banned peer, however the address is written', () => {
    const bans = new BanList()
    bans.ban(addressId('10.0.0.1'))
    assert.equal(bans.needsProof('10.0.0.1'), true)
    assert.equal(bans.needsProof('::ffff:10.0.0.1'), true)
    assert.equal(bans.needsProof('10.0.0.2'), false)
  })

  it('asks for proof where a banned key was met, until the last of them is pardoned', () => {
    const bans = new BanList()
    bans.seen(key, '10.0.0.1')
    assert.equal(bans.needsProof('10.0.0.1'), false)
    bans.ban(key)
    bans.ban(other)
    bans.seen(key, '10.0.0.1')
    bans.seen(key, '10.0.0.1')
    bans.seen(other, '10.0.0.1')
    bans.unban(key)
    assert.equal(bans.needsProof('10.0.0.1'), true)
    bans.unban(other)
    assert.equal(bans.needsProof('10.0.0.1'), false)
  })

  it('does not grow with what others do', () => {
    const bans = new BanList()
    bans.ban(key)
    for (let host = 0; host < 1_000; host++) bans.seen(key, `10.0.${host >> 8}.${host & 255}`)
    assert.equal(bans.needsProof('10.0.0.0'), true)
    assert.equal(bans.needsProof('10.0.3.0'), false)
  })
})

describe('known endpoints', () => {
  it('keep from dialling ourselves, a banned key, and a plain peer under a ban', () => {
    const bans = new BanList()
    const endpoints = new KnownEndpoints()
    endpoints.isSelf('10.0.0.9:1')
    endpoints.learn('10.0.0.1:1', key)
    endpoints.learn('10.0.0.1:2', addressId('10.0.0.1'))
    assert.deepEqual(
      ['10.0.0.9:1', '10.0.0.1:1', '10.0.0.1:2', '10.0.0.1:3'].map((each) => endpoints.mayDial(each, bans, 0)),
      [false, true, true, true],
    )
    bans.ban(key)
    bans.seen(key, '10.0.0.1')
    assert.deepEqual(
      ['10.0.0.1:1', '10.0.0.1:2', '10.0.0.1:3'].map((each) => endpoints.mayDial(each, bans, 0)),
      [false, false, true],
    )
  })

  it('keep from dialling a peer that ends connections at once, ever longer, until one lasts or is of use', () => {
    const endpoints = new KnownEndpoints()
    const bans = new BanList()
    const at = '10.0.0.1:1'
    let now = 0
    const waits = Array.from({ length: 10 }, () => {
      endpoints.ended(at, EARLY_MS - 1, false, now)
      const from = now
      while (!endpoints.mayDial(at, bans, now)) now += 1_000
      return now - from
    })
    assert.deepEqual(waits.slice(0, 3), [EARLY_FIRST_MS, 2 * EARLY_FIRST_MS, 4 * EARLY_FIRST_MS])
    assert.deepEqual(waits.slice(-2), [EARLY_MAX_MS, EARLY_MAX_MS])
    assert.equal(endpoints.mayDial('10.0.0.1:2', bans, now), true)
    endpoints.ended(at, EARLY_MS, false, now)
    assert.equal(endpoints.mayDial(at, bans, now), true)
    endpoints.ended(at, 0, true, now)
    assert.equal(endpoints.mayDial(at, bans, now), true)
    endpoints.ended(at, 0, false, now)
    assert.equal(endpoints.mayDial(at, bans, now + EARLY_FIRST_MS - 1), false, 'it begins anew')
    assert.equal(endpoints.mayDial(at, bans, now + EARLY_FIRST_MS), true)
  })
})
