import assert from 'node:assert/strict'
import { report } from '../../../src/cli/services/exit-code.ts'
import { ControlError } from '../../../src/control/index.ts'
import { LogError } from '../../../src/events/index.ts'
import { ServiceError } from '../../../src/roles/index.ts'

describe('exit codes', () => {
  const cases: [what: string, error: unknown, exit: number][] = [
    ['a failure', new ServiceError('failed', 'no'), 1],
    ['wrong words', new ServiceError('usage', 'no'), 2],
    ['a damaged log, told by a node', new ServiceError('damaged', 'no'), 4],
    ['no running node', new ControlError('NOT_RUNNING', 'no'), 3],
    ['a node that went away', new ControlError('GONE', 'no'), 1],
    ['a node that is starting', new ControlError('STARTING', 'no'), 1],
    ['a directory that is too deep', new ControlError('PATH_TOO_LONG', 'no'), 2],
    ['a damaged log', new LogError({ code: 'LOG_DAMAGED', ranges: [] }), 4],
    ['a log in use', new LogError({ code: 'LOG_LOCKED', directory: '/d', pid: 1 }), 1],
    ['no log', new LogError({ code: 'LOG_MISSING', directory: '/d' }), 2],
    ['a flag that oclif does not know', Object.assign(new Error('no'), { oclif: { exit: 2 } }), 2],
    ['a bug', new TypeError('undefined is not a function'), 1],
    ['something that is no error', 'text', 1],
  ]
  for (const [what, error, exit] of cases)
    it(`ends with ${exit} for ${what}`, () => {
      const reported = report(error)
      assert.equal(reported.exit, exit)
      assert.ok(reported.message.length > 0)
    })

  it('repeats no join string, whichever part of the program has met it', () => {
    const text = `p2pt:${'aB-_9'.repeat(40)}`
    const { message } = report(Object.assign(new Error(`Unexpected argument: ${text}\nSee more`), { oclif: { exit: 2 } }))
    assert.equal(message, 'Unexpected argument: p2pt:...\nSee more')
    assert.match(report(new ServiceError('usage', 'it begins with p2pt:')).message, /with p2pt:$/)
  })
})
