import assert from 'node:assert/strict'
import { ControlError } from '../../src/control/control-error.ts'
import { SOCKET_PATH_BYTES_MAX, socketPath } from '../../src/control/socket-path.ts'

describe('control socket path', () => {
  it('takes the shorter of the absolute and the relative path', () => {
    assert.equal(socketPath('/data/c1', 'control.sock', '/data'), 'c1/control.sock')
    assert.equal(socketPath('/data', 'control.sock', '/very/deep/working/directory'), '/data/control.sock')
  })

  it('reaches a directory that is too deep from within it', () => {
    const deep = `/${'d'.repeat(200)}`
    assert.equal(socketPath(`${deep}/c1`, 'control.sock', deep), 'c1/control.sock')
  })

  it('says so when no path is short enough, counting bytes and not characters', () => {
    const directory = `/${'é'.repeat(50)}`
    assert.ok(directory.length < SOCKET_PATH_BYTES_MAX)
    assert.throws(
      () => socketPath(directory, 'control.sock', '/'),
      (error) =>
        error instanceof ControlError && error.code === 'PATH_TOO_LONG' && /too deep for a unix socket/.test(error.message),
    )
  })
})
