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
