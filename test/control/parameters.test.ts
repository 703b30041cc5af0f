import assert from 'node:assert/strict'
import { METHOD_BY_NAME } from '../../src/control/methods.ts'
import { complaint } from '../../src/control/parameters.ts'

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
