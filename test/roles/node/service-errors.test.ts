import { deepEqual, equal, ok } from 'node:assert/strict'
import { LogError } from '../../../src/events/index.ts'
import { NetworkError } from '../../../src/network/network-error.ts'
import { DataDirectoryError } from '../../../src/roles/directory/data-directory-error.ts'
import { asServiceError } from '../../../src/roles/node/service-errors.ts'
import { ServiceError } from '../../../src/roles/services.ts'
import { TorrentError } from '../../../src/torrent/index.ts'
import { node } from '../../projections/envelopes.ts'

describe('what an operator is told of an error', () => {
  const told = (error: unknown, directory?: string) => {
    const found = asServiceError(error, directory)
    ok(found instanceof ServiceError)
    return [found.code, found.message, found.cause === error]
  }
  const directory = '/data'

  it('is that a log is damaged, newer or another’s, or else that it failed', () => {
    const damaged = new LogError({ code: 'LOG_DAMAGED', ranges: [{ from: 1, to: 2, what: 'fail their checksum' } as never] })
    deepEqual(told(damaged), ['damaged', damaged.message, true])
    const [code, sentence] = told(damaged, directory)
    deepEqual(
      [code, sentence],
      ['damaged', `${damaged.message}; run \`p2pt log repair --data /data\`, which saves every event that is still whole`],
    )
    const others = [
      [new LogError({ code: 'LOG_NEWER', format: 9, supported: 1, since: undefined }), 'damaged'],
      [new LogError({ code: 'LOG_FOREIGN', expected: node('a'), found: node('b') }), 'damaged'],
      [new LogError({ code: 'LOG_CLOSED' }), 'failed'],
      [new LogError({ code: 'LOG_WRITE_FAILED', reason: 'no space left on device' }), 'failed'],
    ] as const
    for (const [error, expected] of others) deepEqual(told(error, directory), [expected, error.message, true])
  })

  it('is what is wrong with a data directory: the words, the directory, or the moment', () => {
    const of = (detail: ConstructorParameters<typeof DataDirectoryError>[0]) => told(new DataDirectoryError(detail))[0]
    equal(of({ code: 'DIRECTORY_NEWER', directory, format: 2, supported: 1 }), 'damaged')
    equal(of({ code: 'IMPORT_UNFINISHED', directory, file: '/x' }), 'damaged')
    equal(of({ code: 'DIRECTORY_MISSING', directory, reason: 'x' }), 'usage')
    equal(of({ code: 'NO_NETWORK', directory }), 'usage')
    equal(of({ code: 'OTHER_NETWORK', directory, expected: 'a', found: 'b' }), 'usage')
    equal(of({ code: 'DIRECTORY_UNUSABLE', directory, reason: 'x' }), 'failed')
    equal(of({ code: 'DIRECTORY_OTHER_ROLE', directory, expected: 'client', found: 'index' }), 'failed')
    const error = new DataDirectoryError({ code: 'NO_NETWORK', directory })
    deepEqual(told(error), ['usage', error.message, true])
  })

  it('is that the network or a torrent failed', () => {
    for (const error of [new NetworkError('PORT_IN_USE', 'a sentence'), new TorrentError('DISK', 'a sentence')])
      deepEqual(told(error), ['failed', 'a sentence', true])
  })

  it('is nothing new of what is said already, and of a bug', () => {
    for (const error of [new ServiceError('usage', 'x'), new TypeError('x'), 'x', undefined])
      equal(asServiceError(error, directory), error)
  })
})
