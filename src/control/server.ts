import { chmodSync, type Stats, statSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { makeDirectory } from '../events/files/make-directory.fs.ts'
import { CALLERS_MAX, Callers } from './callers.ts'
import { ControlError } from './control-error.ts'
import { dial } from './dial.ts'
import { encodeFailure, type Failure, RPC } from './json-rpc.ts'
import { LineSplitter } from './line-splitter.ts'
import type { Services } from './methods.ts'
import { Outbox } from './outbox.ts'
import { Session } from './session.ts'
import { CONTROL_SOCKET, socketPath } from './socket-path.ts'
import { Unread } from './unread.ts'

/** Time that a caller has to take what was written for it before its connection is cut, ms. */
const CLOSE_GRACE_MS = 500

/** Callers who were told that they have no place, and have not hung up yet. The one told first is cut for a further one. */
export const LEAVING_MAX = 56

/**
 * The socket of a running node: `control.sock` in its data directory, mode 0600, so only the node's own user can ask.
 * It is there before the node is, and answers "starting" until `open` is called.
 */
export class ControlServer implements AsyncDisposable {
  readonly #directory: string
  /** Those with a place, and what each has asked. */
  readonly #sessions = new Map<Socket, Session>()
  readonly #callers = new Callers<Socket>()
  /** Those who were told to go, and when they are cut. */
  readonly #leaving = new Map<Socket, NodeJS.Timeout>()
  readonly #workingDirectory: string
  #server: Server | undefined
  #inode = 0
  #services: Services | string = 'the node is starting'
  #malformed = 0
  readonly #unread = new Unread()

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

  /** Connections that are open. */
  get connections(): number {
    return this.#sessions.size + this.#leaving.size
  }

  /** What callers have not read of what was written for them, bytes. */
  get unreadBytes(): number {
    return this.#unread.bytes
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
    const sockets = [...this.#sessions.keys(), ...this.#leaving.keys()]
    const closed = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)))
    for (const socket of sockets) socket.end()
    const deadline = setTimeout(() => {
      for (const socket of sockets) socket.destroy()
    }, CLOSE_GRACE_MS)
    await Promise.all(closed)
    clearTimeout(deadline)
  }

  /** Listens under a name of its own and then renames: the socket is never there with open permissions, nor absent. */
  async #claim(): Promise<void> {
    await this.#unlisten()
    const own = socketPath(this.#directory, `.c${process.pid}`, this.#workingDirectory)
    const path = socketPath(this.#directory, CONTROL_SOCKET, this.#workingDirectory)
    const server = createServer((socket) => this.#accept(socket))
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
    socket.on('error', () => socket.destroy())
    const { place, evicted } = this.#callers.arrive(socket, performance.now())
    this.#evict(evicted)
    if (!place) {
      this.#dismiss(socket, this.#busy())
      return
    }
    const lines = new LineSplitter()
    const session = this.#sessionOf(socket)
    this.#sessions.set(socket, session)
    socket.on('data', (chunk: Uint8Array) => {
      for (const line of lines.push(chunk)) if (this.#sessions.has(socket)) session.receive(line)
      // A caller that sends and never reads is not read from either, until it does.
      if (socket.writableNeedDrain) socket.pause()
    })
    socket.on('drain', () => socket.resume())
    socket.on('close', () => this.#leave(socket))
  }

  #sessionOf(socket: Socket): Session {
    return new Session(
      {
        services: () => this.#services,
        malformed: () => {
          this.#malformed += 1
        },
        refusal: (method) => {
          const { place, evicted } = this.#callers.ask(socket, method, performance.now())
          this.#evict(evicted)
          return place ? undefined : this.#busy()
        },
        hangUp: () => this.#dismiss(socket),
        openCalls: (count) => this.#callers.calls(socket, count, performance.now()),
      },
      new Outbox(socket, this.#unread),
    )
  }

  #busy(): Failure {
    const message =
      `the node is busy: it has ${this.#callers.size} callers and takes ${CALLERS_MAX}. Try again later, or end one that ` +
      'listens (`p2pt log tail`, a download that is followed); `p2pt node status` and `p2pt node stop` need no place'
    return { code: RPC.busy, message, data: { code: 'busy' } }
  }

  #evict(socket: Socket | undefined): void {
    if (socket === undefined) return
    const message = `the node has ${CALLERS_MAX} callers, and this one made room for another: nothing was asked on it for longest`
    this.#dismiss(socket, { code: RPC.busy, message, data: { code: 'busy' } })
  }

  /** Takes a caller's place away, and its connection once it has had the time to read why. */
  #dismiss(socket: Socket, why?: Failure): void {
    this.#leave(socket)
    if (socket.destroyed || this.#leaving.has(socket)) return
    const [first] = this.#leaving.keys()
    if (first !== undefined && this.#leaving.size >= LEAVING_MAX) this.#cut(first)
    this.#leaving.set(
      socket,
      setTimeout(() => this.#cut(socket), CLOSE_GRACE_MS),
    )
    socket.on('close', () => this.#cut(socket))
    // What it goes on to send is read and thrown away: closed with something unread, it would lose what it was told.
    socket.resume()
    if (why !== undefined) socket.write(`${encodeFailure(null, why)}\n`)
    socket.end()
  }

  #cut(socket: Socket): void {
    clearTimeout(this.#leaving.get(socket))
    this.#leaving.delete(socket)
    socket.destroy()
  }

  #leave(socket: Socket): void {
    this.#callers.leave(socket)
    this.#sessions.get(socket)?.close()
    this.#sessions.delete(socket)
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
