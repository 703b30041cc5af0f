import assert from 'node:assert/strict'
import { canonicalJson } from '../../src/projections/index.ts'

describe('canonical JSON', () => {
  it('has the keys of every object in ascending order, however it was made and however deep it stands', () => {
    assert.equal(canonicalJson({ b: 1, a: 2 }), '{"a":2,"b":1}')
    assert.equal(canonicalJson({ a: { d: 1, c: 2 }, b: 3 }), '{"a":{"c":2,"d":1},"b":3}')
    assert.equal(canonicalJson([{ b: 1, a: [{ z: 1, y: 2 }] }]), '[{"a":[{"y":2,"z":1}],"b":1}]')
    assert.equal(canonicalJson({ a: 1, c: 2, b: 3 }), '{"a":1,"b":3,"c":2}')
    assert.equal(canonicalJson({ a: null, b: [2, 1], B: true }), '{"B":true,"a":null,"b":[2,1]}')
  })
})
