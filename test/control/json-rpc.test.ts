import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  encodeCall,
  encodeFailure,
  encodeProgress,
  encodeResult,
  parseAnswer,
  parseIncoming,
  RPC,
} from '../../src/control/json-rpc.ts'

const bad = (line: string): number | undefined => {
  const incoming = parseIncoming(line)
  return incoming.is === 'bad' ? incoming.failure.code : undefined
}

describe('control JSON-RPC messages', () => {
  const refused: [what: string, line: string, code: number][] = [
    ['what is not JSON', 'hello', RPC.parseError],
    ['an empty line', '', RPC.parseError],
    ['a batch', '[]', RPC.invalidRequest],
    ['a bare value', '42', RPC.invalidRequest],
    ['another version', '{"jsonrpc":"1.0","id":1,"method":"node.status"}', RPC.invalidRequest],
    ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"node.status"}', RPC.invalidRequest],
    ['no method', '{"jsonrpc":"2.0","id":1}', RPC.invalidRequest],
    ['a method of 101 characters', JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'x'.repeat(101) }), RPC.invalidRequest],
    ['parameters by name', '{"jsonrpc":"2.0","id":1,"method":"node.status","params":{}}', RPC.invalidParams],
  ]
  for (const [what, line, code] of refused) it(`refuses ${what}`, () => assert.equal(bad(line), code))

  it('says why it refuses, and of which call as far as that is known', () => {
    const version = '"jsonrpc" must be "2.0"'
    const method = '"method" must be the name of a method'
    const id = '"id" must be a number or a text of at most 100 characters'
    const array = '"params" must be an array: parameters go by position'
    for (const [message, of, code, why] of [
      ['{', null, RPC.parseError, 'the line is not JSON'],
      ['[]', null, RPC.invalidRequest, 'a message is one JSON object a line; there are no batches'],
      ['null', null, RPC.invalidRequest, 'a message is one JSON object a line; there are no batches'],
      [{ jsonrpc: '2.0', id: null, method: 'x' }, null, RPC.invalidRequest, id],
      [{ jsonrpc: '2.0', id: 'x'.repeat(101), method: 'x' }, null, RPC.invalidRequest, id],
      [{ id: 7, method: 'x' }, 7, RPC.invalidRequest, version],
      [{ method: 'x' }, null, RPC.invalidRequest, version],
      [{ jsonrpc: '2.0', id: 'seven' }, 'seven', RPC.invalidRequest, method],
      [{ jsonrpc: '2.0', method: 5 }, null, RPC.invalidRequest, method],
      [{ jsonrpc: '2.0', id: 7, method: 'x', params: {} }, 7, RPC.invalidParams, array],
      [{ jsonrpc: '2.0', id: 7, method: 'x', params: 'y' }, 7, RPC.invalidParams, array],
    ] as const) {
      const line = typeof message === 'string' ? message : JSON.stringify(message)
      assert.deepEqual(parseIncoming(line), { is: 'bad', id: of, failure: { code, message: why } }, line)
    }
  })

  it('takes ids and names of a hundred characters, and a call without parameters', () => {
    const id = 'i'.repeat(100)
    const method = 'm'.repeat(100)
    assert.deepEqual(parseIncoming(JSON.stringify({ jsonrpc: '2.0', id, method })), { is: 'call', id, method, parameters: [] })
  })

  it('takes a cancellation of a call that it names, and passes over other notifications', () => {
    const notified = (method: string, params?: unknown) => parseIncoming(JSON.stringify({ jsonrpc: '2.0', method, params }))
    assert.deepEqual(notified('cancel', { id: 'a' }), { is: 'cancel', id: 'a' })
    assert.deepEqual(notified('cancel', { id: 0 }), { is: 'cancel', id: 0 })
    for (const params of [undefined, [], { id: null }, { id: [] }, {}])
      assert.deepEqual(notified('cancel', params), { is: 'ignored' })
    assert.deepEqual(notified('progress', { id: 1 }), { is: 'ignored' })
  })

  it('makes nothing of an answer that is none, and null of no result', () => {
    const answers = [
      ...['', 'no JSON', '[]', '5', '{}', '{"id":1}', '{"id":{},"result":1}', '{"method":"progress","params":{"id":{}}}'],
      ...['{"method":"progress"}', '{"method":"other","params":{"id":1}}', '{"id":1,"error":"no"}'],
      ...[
        '{"id":1,"error":{"code":"1","message":"no"}}',
        '{"id":1,"error":{"code":1,"message":5}}',
        '{"id":1,"error":{"code":1}}',
      ],
    ]
    for (const line of answers) assert.equal(parseAnswer(line), undefined, line)
    assert.deepEqual(parseAnswer(encodeResult(1, undefined)), { is: 'result', id: 1, value: null })
    const failure = { code: 1, message: 'no' }
    for (const data of [{}, null, 5, { code: 5 }])
      assert.deepEqual(parseAnswer(JSON.stringify({ id: null, error: { ...failure, data } })), {
        is: 'failure',
        id: null,
        failure,
      })
  })

  it('reads what it wrote', () => {
    const id = fc.oneof(fc.integer(), fc.string({ maxLength: 100, size: 'max' }))
    const value = fc.jsonValue().map((json) => JSON.parse(JSON.stringify(json)))
    fc.assert(
      fc.property(id, value, fc.array(value), (callId, item, parameters) => {
        assert.deepEqual(parseIncoming(encodeCall(callId, 'node.status', parameters)), {
          is: 'call',
          id: callId,
          method: 'node.status',
          parameters,
        })
        assert.deepEqual(parseAnswer(encodeProgress(callId, item)), { is: 'progress', id: callId, value: item })
        assert.deepEqual(parseAnswer(encodeResult(callId, item)), { is: 'result', id: callId, value: item })
        const failure = { code: -1, message: 'no', data: { code: 'failed' } }
        assert.deepEqual(parseAnswer(encodeFailure(callId, failure)), { is: 'failure', id: callId, failure })
      }),
    )
  })

  it('never throws for what anybody sends', () => {
    const like = fc.record(
      {
        jsonrpc: fc.constantFrom('2.0', '1'),
        id: fc.jsonValue(),
        method: fc.jsonValue(),
        params: fc.jsonValue(),
        error: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          like.map((message) => JSON.stringify(message)),
        ),
        (line) => {
          assert.ok(parseIncoming(line).is)
          parseAnswer(line)
        },
      ),
    )
  })
})
