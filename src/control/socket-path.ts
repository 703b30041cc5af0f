import { join, relative } from 'node:path'
import { ControlError } from './control-error.ts'

/** Name of the socket in the data directory. */
export const CONTROL_SOCKET = 'control.sock'

/** Bytes a unix socket's path may have: 108 in `sockaddr_un` (unix(7)) with the zero at its end; 104 on macOS and BSD. */
export const SOCKET_PATH_BYTES_MAX = process.platform === 'linux' ? 107 : 103

/**
 * A path to `name` in `directory` (absolute) that is short enough for a socket: relative to `workingDirectory` where that is shorter.
 * @throws ControlError `PATH_TOO_LONG`
 */
export function socketPath(directory: string, name: string, workingDirectory: string): string {
  const absolute = join(directory, name)
  const fromHere = relative(workingDirectory, absolute)
  const path = Buffer.byteLength(fromHere) < Buffer.byteLength(absolute) ? fromHere : absolute
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return path
  throw new ControlError(
    'PATH_TOO_LONG',
    `the data directory ${directory} is too deep for a unix socket (${Buffer.byteLength(absolute)} bytes, at most ` +
      `${SOCKET_PATH_BYTES_MAX}): choose a shorter one, or run the command from within it`,
  )
}
