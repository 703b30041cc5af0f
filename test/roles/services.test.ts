import { deepEqual, ok } from 'node:assert/strict'
import { ServiceError } from '../../src/roles/services.ts'

describe('an error of a service', () => {
  it('has a code, a sentence and what caused it', () => {
    const cause = new Error('the disk is gone')
    const error = new ServiceError('failed', 'it could not be written', { cause })
    ok(error instanceof Error)
    deepEqual(
      [error.name, error.code, error.message, error.cause],
      ['ServiceError', 'failed', 'it could not be written', cause],
    )
    deepEqual(new ServiceError('usage', 'x').cause, undefined)
  })
})
