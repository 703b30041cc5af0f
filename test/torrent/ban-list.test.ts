import assert from 'node:assert/strict'
import type { NodeId } from '../../src/events/index.ts'
import { addressId } from '../../src/events/index.ts'
import { BanList } from '../../src/torrent/ban-list.ts'
import { KnownEndpoints } from '../../src/torrent/known-endpoints.ts'

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

  it('knows whom it bans until that one is pardoned', () => {
    const bans = new BanList()
    for (const peer of [key, addressId('10.0.0.1')]) {
      assert.equal(bans.has(peer), false)
      bans.ban(peer)
      assert.equal(bans.has(peer), true)
      bans.unban(peer)
      assert.equal(bans.has(peer), false)
    }
    assert.equal(bans.needsProof('10.0.0.1'), false)
  })

  it('remembers 65,536 bans, and lets the oldest go for one more', () => {
    const bans = new BanList()
    const host = (at: number) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`
    for (let at = 0; at < 65_536; at++) bans.ban(addressId(host(at)))
    assert.equal(bans.has(addressId(host(0))), true)
    bans.ban(addressId(host(65_536)))
    assert.deepEqual(
      [0, 1, 65_536].map((at) => bans.has(addressId(host(at)))),
      [false, true, true],
    )
    assert.deepEqual(
      [0, 1, 65_536].map((at) => bans.needsProof(host(at))),
      [false, true, true],
    )
  })

  it('remembers 32 addresses of a key, and not one more', () => {
    const bans = new BanList()
    bans.ban(key)
    for (let at = 0; at < 33; at++) bans.seen(key, `10.0.0.${at}`)
    assert.deepEqual([bans.needsProof('10.0.0.31'), bans.needsProof('10.0.0.32')], [true, false])
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
  it('tell who was found where, and nobody for ourselves', () => {
    const endpoints = new KnownEndpoints()
    endpoints.learn('10.0.0.1:1', key)
    endpoints.isSelf('10.0.0.1:2')
    assert.deepEqual(
      ['10.0.0.1:1', '10.0.0.1:2', '10.0.0.1:3'].map((each) => endpoints.peerAt(each)),
      [key, undefined, undefined],
    )
  })

  it('are 4,096, and the oldest is forgotten for one more', () => {
    const endpoints = new KnownEndpoints()
    for (let port = 0; port < 4_096; port++) endpoints.learn(`10.0.0.1:${port}`, key)
    assert.equal(endpoints.peerAt('10.0.0.1:0'), key)
    endpoints.learn('10.0.0.1:4096', key)
    assert.deepEqual(
      [0, 1, 4_096].map((port) => endpoints.peerAt(`10.0.0.1:${port}`)),
      [undefined, key, key],
    )
  })

  it('keep from dialling ourselves, a banned key, and a plain peer under a ban', () => {
    const bans = new BanList()
    const endpoints = new KnownEndpoints()
    endpoints.isSelf('10.0.0.9:1')
    endpoints.learn('10.0.0.1:1', key)
    endpoints.learn('10.0.0.1:2', addressId('10.0.0.1'))
    assert.deepEqual(
      ['10.0.0.9:1', '10.0.0.1:1', '10.0.0.1:2', '10.0.0.1:3'].map((each) => endpoints.mayDial(each, bans)),
      [false, true, true, true],
    )
    bans.ban(key)
    bans.seen(key, '10.0.0.1')
    assert.deepEqual(
      ['10.0.0.1:1', '10.0.0.1:2', '10.0.0.1:3'].map((each) => endpoints.mayDial(each, bans)),
      [false, false, true],
    )
  })
})
