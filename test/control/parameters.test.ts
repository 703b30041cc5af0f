import assert from 'node:assert/strict'
import { METHOD_BY_NAME } from '../../src/control/methods.ts'
import {
  complaint,
  dictionary,
  list,
  number,
  optional,
  percent,
  record,
  text,
  truth,
  whole,
} from '../../src/control/parameters.ts'

const wrong = (method: string, ...parameters: unknown[]) => complaint(METHOD_BY_NAME.get(method)?.parameters ?? [], parameters)

describe('control parameters', () => {
  it('takes what the services take', () => {
    assert.equal(wrong('node.status'), undefined)
    assert.equal(wrong('node.events', { from: 1, kinds: ['piece.judged'], author: 'ab', limit: 0 }), undefined)
    assert.equal(wrong('node.replay', { policy: { id: 'default', parameters: { a: 1 } } }), undefined)
    assert.equal(wrong('client.corrupt', 'ab', 12.5), undefined)
    assert.equal(wrong('client.torrentPeers', { infoHash: null }), undefined)
  })

  const cases: [method: string, parameters: unknown[], sentence: RegExp][] = [
    ['node.status', [1], /takes 0 parameters, not 1/],
    ['node.events', [], /parameter 1 must be an object/],
    ['node.events', [{ fro: 1 }], /unknown field "fro"/],
    ['node.events', [{ from: -1 }], /field "from" must be a whole number/],
    ['node.events', [{ from: 2 ** 53 }], /must be a whole number/],
    ['node.events', [{ kinds: ['a', 1] }], /field "kinds" item 2 must be a text/],
    ['node.events', [{ __proto__: null, constructor: 1 }], /unknown field "constructor"/],
    ['node.replay', [{ policy: { id: 'x', parameters: { a: 'b' } } }], /field "a" must be a number/],
    ['client.corrupt', ['ab', 101], /from 0 to 100/],
    ['client.remove', ['ab', { deleteFiles: 'yes' }], /true or false/],
    ['client.follow', [null], /must be a text/],
  ]
  for (const [method, parameters, sentence] of cases)
    it(`says what is wrong with ${method} ${JSON.stringify(parameters)}`, () =>
      assert.match(wrong(method, ...parameters) ?? '', sentence))
})

describe('a check of what a caller sends', () => {
  it('takes what is of its kind, to the bound, and nothing beyond', () => {
    const longest = 'x'.repeat(8 * 1024 * 1024)
    const table: [check: typeof text, takes: unknown[], refuses: unknown[], sentence: string][] = [
      [text, ['', 'a', longest], [5, null, undefined, [], `${longest}x`], 'must be a text'],
      [whole, [0, 2 ** 53 - 1], [-1, 0.5, 2 ** 53, '1', null, Number.NaN], 'must be a whole number, 0 or more'],
      [percent, [0, 12.5, 100], [-0.1, 100.1, '5', Number.NaN, null], 'must be a number from 0 to 100'],
      [truth, [true, false], [0, 'true', null, undefined], 'must be true or false'],
      [number, [-1.5, 0], [Number.NaN, Number.POSITIVE_INFINITY, '1', null], 'must be a number'],
      [list(truth, 2), [[], [true, false]], [{ length: 0 }, 'ab', null], 'must be a list'],
      [record({ a: optional(truth) }), [{}, { a: true }, { a: null }], [[], null, 'a', 5, undefined], 'must be an object'],
      [dictionary(truth), [{}, { x: true }], [[], null, 'a', 5, undefined], 'must be an object'],
    ]
    for (const [check, takes, refuses, sentence] of table) {
      for (const value of takes) assert.equal(check(value), undefined)
      for (const value of refuses) assert.equal(check(value), sentence, `${String(value).slice(0, 20)}: ${sentence}`)
    }
  })

  it('says which item or field is wrong, of a long name only the beginning', () => {
    const name = 'n'.repeat(60)
    assert.equal(list(truth, 2)([true, true, true]), 'must have at most 2 items')
    assert.equal(list(truth)(Array(10_000).fill(true)), undefined)
    assert.equal(list(truth)(Array(10_001).fill(true)), 'must have at most 10000 items')
    assert.equal(list(truth)([true, 5]), 'item 2 must be true or false')
    assert.equal(record({ a: truth, b: truth })({ a: true, b: 5 }), 'field "b" must be true or false')
    assert.equal(record({ a: truth })({}), 'field "a" must be true or false')
    assert.equal(record({})({ [name]: 1 }), `has an unknown field "${'n'.repeat(50)}"`)
    assert.equal(dictionary(truth)({ x: true, [name]: 1 }), `field "${'n'.repeat(50)}" must be true or false`)
    assert.equal(complaint([truth, optional(truth)], [true]), undefined)
    assert.equal(complaint([truth, truth], [true, 5]), 'parameter 2 must be true or false')
    assert.equal(complaint([truth], [true, true]), 'takes 1 parameters, not 2')
  })
})
