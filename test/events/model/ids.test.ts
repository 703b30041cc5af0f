import assert from 'node:assert/strict'
import { addressId, isAddressId, isInfoHash, isNodeId } from '../../../src/events/index.ts'

describe('an id', () => {
  it('of a node has 64 digits in lower case, or one node would have two', () => {
    assert.equal(isNodeId('a1'.repeat(32)), true)
    for (const text of ['A1'.repeat(32), 'a'.repeat(63), 'a'.repeat(65), 'g'.repeat(64), `${'a'.repeat(64)}\n`])
      assert.equal(isNodeId(text), false, text)
  })

  it('of a torrent has 40', () => {
    assert.equal(isInfoHash('a1'.repeat(20)), true)
    for (const text of ['A1'.repeat(20), 'a'.repeat(39), 'a'.repeat(41), 'g'.repeat(40)])
      assert.equal(isInfoHash(text), false, text)
  })

  it('of an address has something behind its prefix', () => {
    assert.deepEqual([isAddressId('ip:'), isAddressId('ip:1'), isAddressId('IP:1')], [false, true, false])
  })

  it('of an address is one for each host, however it is written', () => {
    for (const host of ['10.0.0.7', '::ffff:10.0.0.7', '::FFFF:10.0.0.7']) assert.equal(addressId(host), 'ip:10.0.0.7')
    assert.equal(addressId('FE80::1%eth0'), 'ip:fe80::1')
    assert.equal(addressId('::ffff:a:b'), 'ip:::ffff:a:b')
  })
})
