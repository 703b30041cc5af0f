import assert from 'node:assert/strict'
import type { NodeId } from '../../src/events/index.ts'
import { RequestTable } from '../../src/network/request-table.ts'

const peerOf = (number: number): NodeId => number.toString(16).padStart(64, '0') as NodeId
const [PEER, OTHER, THIRD] = [peerOf(1), peerOf(2), peerOf(3)]

describe('table of exchanges', () => {
  let table: RequestTable<string>
  beforeEach(() => {
    table = new RequestTable(2, 3)
  })

  it('holds so many of one peer, and so many in all', () => {
    assert.deepEqual([table.add(PEER, 1, 'a'), table.hasRoom(PEER), table.add(PEER, 2, 'b')], [true, true, true])
    assert.deepEqual([table.hasRoom(PEER), table.add(PEER, 3, 'c')], [false, false])
    assert.deepEqual([table.hasRoom(OTHER), table.add(OTHER, 1, 'd'), table.size], [true, true, 3])
    assert.deepEqual(
      [table.hasRoom(OTHER), table.add(OTHER, 2, 'e'), table.add(THIRD, 1, 'f'), table.size],
      [...[false, false, false], 3],
    )
    assert.deepEqual([table.get(PEER, 3), table.get(OTHER, 2), table.get(THIRD, 1)], [undefined, undefined, undefined])
  })

  it('holds one exchange a peer and id, the first', () => {
    assert.deepEqual([table.add(PEER, 1, 'a'), table.add(PEER, 1, 'b'), table.add(OTHER, 1, 'c')], [true, false, true])
    assert.deepEqual([table.get(PEER, 1), table.get(OTHER, 1), table.size], ['a', 'c', 2])
  })

  it('gives an exchange out once, and its room with it', () => {
    table.add(PEER, 1, 'a')
    table.add(PEER, 2, 'b')
    assert.deepEqual([table.take(PEER, 3), table.take(OTHER, 1), table.size], [undefined, undefined, 2])
    assert.deepEqual([table.take(PEER, 1), table.take(PEER, 1), table.size], ['a', undefined, 1])
    assert.equal(table.add(PEER, 1, 'c'), true)
    assert.deepEqual([table.take(PEER, 1), table.take(PEER, 2), table.size], ['c', 'b', 0])
    assert.equal(table.hasRoom(PEER), true)
  })

  it('gives out all of one peer, or of all', () => {
    const fill = () => {
      table.add(PEER, 1, 'a')
      table.add(PEER, 2, 'b')
      table.add(OTHER, 1, 'c')
    }
    fill()
    assert.deepEqual([table.takeAll(THIRD), table.takeAll(PEER), table.takeAll(PEER), table.size], [[], ['a', 'b'], [], 1])
    fill()
    assert.deepEqual([table.takeAll(), table.takeAll(), table.size], [['c', 'a', 'b'], [], 0])
    fill()
    assert.equal(table.size, 3)
  })
})
