import assert from 'node:assert/strict'
import { isAddressId, isInfoHash, isNodeId } from '../../../src/events/index.ts'

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
})
