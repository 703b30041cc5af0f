import assert from 'node:assert/strict'
import { ControlError } from '../../src/control/control-error.ts'
import { errorOf, failureOf } from '../../src/control/failure.ts'
import { RPC } from '../../src/control/json-rpc.ts'
import { LogError, type LogErrorDetail } from '../../src/events/log/event-log.ts'
import { ServiceError } from '../../src/roles/services.ts'
import { node } from '../projections/envelopes.ts'

describe('an error of a service', () => {
  it('comes over the line with its sentence and its code', () => {
    for (const code of ['usage', 'failed', 'damaged'] as const) {
      const error = new ServiceError(code, 'it said no')
      assert.deepEqual(failureOf(error), { code: RPC.serviceError, message: 'it said no', data: { code } })
      assert.deepEqual(errorOf(failureOf(error)), error)
    }
  })

  it('of the log is damage where the log cannot be used, and a failure where it can be again', () => {
    const details: [LogErrorDetail, 'damaged' | 'failed'][] = [
      [{ code: 'LOG_DAMAGED', ranges: [] }, 'damaged'],
      [{ code: 'LOG_FOREIGN', expected: node('ada'), found: node('bob') }, 'damaged'],
      [{ code: 'LOG_NEWER', format: 9, supported: 1, since: undefined }, 'damaged'],
      [{ code: 'LOG_CLOSED' }, 'failed'],
      [{ code: 'LOG_WRITE_FAILED', reason: 'no space' }, 'failed'],
      [{ code: 'LOG_UNAVAILABLE', reason: 'no space' }, 'failed'],
      [{ code: 'LOG_MISSING', directory: '/data' }, 'failed'],
    ]
    for (const [detail, code] of details) {
      const error = new LogError(detail)
      assert.deepEqual(failureOf(error), { code: RPC.serviceError, message: error.message, data: { code } })
    }
  })

  it('that nobody foresaw is a failure of ours, whatever was thrown', () => {
    assert.deepEqual(failureOf(new TypeError('a bug')), { code: RPC.internalError, message: 'a bug', data: { code: 'failed' } })
    assert.deepEqual(failureOf('a text'), { code: RPC.internalError, message: 'a text', data: { code: 'failed' } })
    assert.deepEqual(errorOf(failureOf('a text')), new ServiceError('failed', 'a text'))
  })
})

describe('a failure that came over the line', () => {
  it('is that of a node that starts, or has too many callers, whatever else it says', () => {
    const data = { code: 'usage' }
    assert.deepEqual(errorOf({ code: RPC.starting, message: 'soon', data }), new ControlError('STARTING', 'soon'))
    assert.deepEqual(errorOf({ code: RPC.busy, message: 'later', data }), new ControlError('BUSY', 'later'))
  })

  it('is wrong use where parameters are, and else another program or version', () => {
    assert.deepEqual(
      errorOf({ code: RPC.invalidParams, message: 'takes 0 parameters' }),
      new ServiceError('usage', 'takes 0 parameters'),
    )
    for (const failure of [
      { code: RPC.methodNotFound, message: 'no such method' },
      { code: RPC.serviceError, message: 'no such method', data: { code: 'other' } },
    ])
      assert.deepEqual(errorOf(failure), new ControlError('BAD_ANSWER', 'the node did not understand: no such method'))
  })
})
