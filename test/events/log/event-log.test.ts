import assert from 'node:assert/strict'
import { LogError, type LogErrorDetail, type NodeId } from '../../../src/events/index.ts'

const [ada, bob] = ['a', 'b'].map((digit) => digit.repeat(64)) as [NodeId, NodeId]

describe('what a log says of its failures', () => {
  const sentences: readonly (readonly [LogErrorDetail, string])[] = [
    [{ code: 'LOG_CLOSED' }, 'the event log is closed'],
    [{ code: 'LOG_WRITE_FAILED', reason: 'disk full' }, 'the event log could not be written: disk full'],
    [{ code: 'LOG_UNAVAILABLE', reason: 'ask again' }, 'the event log cannot be read: ask again'],
    [
      { code: 'LOG_LOCKED', directory: '/srv/node', pid: 812 },
      'the data directory /srv/node is in use by process 812: stop it with `p2pt node stop --data /srv/node`',
    ],
    [
      { code: 'LOG_LOCKED', directory: '/srv/node', pid: 0 },
      'the data directory /srv/node is in use by another process: stop that first',
    ],
    [
      {
        code: 'LOG_DAMAGED',
        ranges: [
          { from: 1, to: 4, what: 'missing' },
          { from: 9, to: 9, what: 'altered' },
        ],
      },
      'the event log is damaged: events 1 to 4 missing; events 9 to 9 altered',
    ],
    [
      { code: 'LOG_NEWER', format: 3, supported: 1, since: undefined },
      'the event log has format 3, this version reads up to 1: use a newer p2pt',
    ],
    [
      { code: 'LOG_NEWER', format: 3, supported: 1, since: '2.0.0' },
      'the event log has format 3, this version reads up to 1: use p2pt 2.0.0 or later',
    ],
    [{ code: 'LOG_FOREIGN', expected: ada, found: bob }, `the event log belongs to node ${bob}, not to ${ada}`],
    [{ code: 'LOG_MISSING', directory: '/srv/node' }, 'there is no event log in /srv/node'],
  ]

  for (const [detail, sentence] of sentences)
    it(sentence.slice(0, 60), () => {
      const cause = new Error('why')
      const error = new LogError(detail, { cause })
      assert.deepEqual([error.name, error.code, error.message, error.cause], ['LogError', detail.code, sentence, cause])
      assert.equal(error.detail, detail)
    })
})
