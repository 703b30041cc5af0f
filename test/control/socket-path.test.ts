import assert from 'node:assert/strict'
import { ControlError } from '../../src/control/control-error.ts'
import { CONTROL_SOCKET, SOCKET_PATH_BYTES_MAX, socketPath } from '../../src/control/socket-path.ts'

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

  it('has as many bytes as the system takes, to the last one', () => {
    // unix(7): 108 with the zero at the end; BSD and macOS have 104.
    assert.equal(SOCKET_PATH_BYTES_MAX, process.platform === 'linux' ? 107 : 103)
    const directory = `/${'d'.repeat(SOCKET_PATH_BYTES_MAX - '//s'.length)}`
    assert.equal(socketPath(directory, 's', '/elsewhere'), `${directory}/s`)
    assert.throws(() => socketPath(`${directory}d`, 's', '/elsewhere'), {
      message:
        `the data directory ${directory}d is too deep for a unix socket (${SOCKET_PATH_BYTES_MAX + 1} bytes, at most ` +
        `${SOCKET_PATH_BYTES_MAX}): choose a shorter one, or run the command from within it`,
    })
  })

  it('is absolute where the other way is as long', () => {
    assert.equal(socketPath('/ab', 's', '/x'), '/ab/s')
    assert.equal(CONTROL_SOCKET, 'control.sock')
  })
})
