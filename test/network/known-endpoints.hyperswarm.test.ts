import assert from 'node:assert/strict'
import type { NodeId } from '../../src/events/index.ts'
import { KnownEndpoints } from '../../src/network/known-endpoints.hyperswarm.ts'

const key = (index: number): NodeId => index.toString(16).padStart(64, '0') as NodeId
const at = (port: number) => ({ host: '10.0.0.1', port })

describe('known endpoints', () => {
  it('are listed with the latest first, and an endpoint seen again moves up', () => {
    const known = new KnownEndpoints([])
    known.add(key(1), at(1))
    known.add(key(2), at(2))
    known.add(key(1), at(11))
    assert.deepEqual(known.list(), [
      { key: key(1), ...at(11) },
      { key: key(2), ...at(2) },
    ])
  })

  it('come back in the same order from their own list', () => {
    const known = new KnownEndpoints([])
    for (let index = 1; index <= 5; index++) known.add(key(index), at(index))
    assert.deepEqual(new KnownEndpoints(JSON.parse(JSON.stringify(known.list()))).list(), known.list())
  })

  it('are no more than 256, the oldest go first', () => {
    const known = new KnownEndpoints([])
    for (let index = 1; index <= 300; index++) known.add(key(index), at(index))
    assert.equal(known.list().length, 256)
    assert.equal(known.get(key(44)), undefined)
    assert.deepEqual(known.get(key(45)), at(45))
    const list = Array.from({ length: 300 }, (_, index) => ({ key: key(index), ...at(index + 1) }))
    assert.deepEqual(new KnownEndpoints(list).list(), list.slice(0, 256), 'of an earlier run, the latest')
  })

  it('leave out what cannot be dialled', () => {
    const known = new KnownEndpoints([])
    known.add(key(1), { host: '', port: 1 })
    known.add(key(2), { host: '10.0.0.1', port: 0 })
    known.add(key(3), { host: 'victim.example', port: 1 })
    known.add(key(4), { host: '255.255.255.255', port: 1 })
    known.add(key(5), { host: '10.0.0.1', port: 65_536 })
    assert.deepEqual(known.list(), [])
    assert.deepEqual(new KnownEndpoints([{ key: key(6), host: 'victim.example', port: 1 }]).list(), [])
  })
})
