import { chmodSync, type Stats, statSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { makeDirectory } from '../events/make-directory.fs.ts'
import { ControlError } from './control-error.ts'
import { dial } from './dial.ts'
import { LineSplitter } from './line-splitter.ts'
import type { Services } from './methods.ts'
import { Session } from './session.ts'
import { CONTROL_SOCKET, socketPath } from './socket-path.ts'

/** Callers at once; a further one is hung up on. Each command of an operator is one or two. */
const CALLERS_MAX = 64

/** Time that open calls have to get their answers out when the server closes, ms. */
const CLOSE_GRACE_MS = 500

/**
 * The socket of a running node: `control.sock` in its data directory, mode 0600, so only the node's own user can ask.
 * It is there before the node is, and answers "starting" until `open` is called.
 */
export class ControlServer implements AsyncDisposable {
  readonly #directory: string
  readonly #callers = new Set<Socket>()
  readonly #workingDirectory: string
  #server: Server | undefined
  #inode = 0
  #services: Services | string = 'the node is starting'
  #malformed = 0

  private constructor(directory: string) {
    this.#directory = directory
    this.#workingDirectory = process.cwd()
  }

  /**
   * Makes the data directory (0700) and the socket in it.
   * @param directory absolute
   * @throws ControlError `IN_USE`, `PATH_TOO_LONG`, `UNAVAILABLE`
   */
  static async listen(directory: string): Promise<ControlServer> {
    const server = new ControlServer(directory)
    const path = socketPath(directory, CONTROL_SOCKET, server.#workingDirectory)
    try {
      await makeDirectory(directory)
    } catch (cause) {
      throw new ControlError('UNAVAILABLE', `cannot make the data directory ${directory}: ${reason(cause)}`, { cause })
    }
    // Only a socket that nobody answers is stale and may be replaced.
    const other = await dial(path).catch(() => undefined)
    if (other !== undefined) {
      other.destroy()
      throw new ControlError('IN_USE', `the data directory ${directory} is in use by a running node`)
    }
    await server.#claim()
    return server
  }

  /** Path of the socket, absolute. */
  get path(): string {
    return `${this.#directory}/${CONTROL_SOCKET}`
  }

  /** Lines that were no call, since the start. */
  get malformed(): number {
    return this.#malformed
  }

  /**
   * Opens the services, once the node holds the lock of its data directory. Whoever started at the same moment and did
   * not get the lock may have taken the socket's place: it is taken back.
   */
  async open(services: Services): Promise<void> {
    this.#services = services
    if (this.#fileAtPath()?.ino !== this.#inode) await this.#claim()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#services = 'the node is stopping'
    await this.#unlisten()
    for (const socket of this.#callers) socket.end()
    const deadline = setTimeout(() => {
      for (const socket of this.#callers) socket.destroy()
    }, CLOSE_GRACE_MS)
    await Promise.all([...this.#callers].map((socket) => new Promise((resolve) => socket.once('close', resolve))))
    clearTimeout(deadline)
  }

  /** Listens under a name of its own and then renames: the socket is never there with open permissions, nor absent. */
  async #claim(): Promise<void> {
    await this.#unlisten()
    const own = socketPath(this.#directory, `.c${process.pid}`, this.#workingDirectory)
    const path = socketPath(this.#directory, CONTROL_SOCKET, this.#workingDirectory)
    const server = createServer((socket) => this.#accept(socket))
    server.maxConnections = CALLERS_MAX
    try {
      await rm(own, { force: true })
      await listenPrivately(server, own)
      chmodSync(own, 0o600)
      await rename(own, path)
    } catch (cause) {
      server.close()
      throw new ControlError('UNAVAILABLE', `cannot make the socket ${this.path}: ${reason(cause)}`, { cause })
    }
    this.#server = server
    this.#inode = this.#fileAtPath()?.ino ?? 0
  }

  async #unlisten(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    server.close()
    if (this.#fileAtPath()?.ino === this.#inode) await rm(this.path, { force: true })
  }

  #fileAtPath(): Stats | undefined {
    return statSync(this.path, { throwIfNoEntry: false })
  }

  #accept(socket: Socket): void {
    this.#callers.add(socket)
    const lines = new LineSplitter()
    const session = new Session(
      {
        services: () => this.#services,
        malformed: () => {
          this.#malformed += 1
        },
      },
      (line) => write(socket, line),
    )
    socket.on('data', (chunk: Uint8Array) => {
      for (const line of lines.push(chunk)) session.receive(line)
      // A caller that sends and never reads is not read from either, until it does.
      if (socket.writableNeedDrain) socket.pause()
    })
    socket.on('drain', () => socket.resume())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#callers.delete(socket)
      session.close()
    })
  }
}

/** Resolves when there is room for the next line; rejects once the caller is gone. */
async function write(socket: Socket, line: string): Promise<void> {
  if (socket.destroyed || !socket.writable) throw new ControlError('GONE', 'the caller is gone')
  if (socket.write(`${line}\n`)) return
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const gone = () => reject(new ControlError('GONE', 'the caller is gone'))
  socket.once('drain', resolve)
  socket.once('close', gone)
  try {
    await promise
  } finally {
    socket.off('drain', resolve)
    socket.off('close', gone)
  }
}

/** The file is made within `listen`, in this turn, so the mask is another's for no moment. */
function listenPrivately(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const mask = process.umask(0o177)
    try {
      server.listen(path, () => {
        server.off('error', reject)
        server.on('error', () => {})
        resolve()
      })
    } finally {
      process.umask(mask)
    }
  })
}

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
