import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Timers } from '../../events/index.ts'
import type { Metainfo } from '../metainfo.ts'
import type { PeerStream } from '../peer-link.tcp.ts'
import { decodeHandshake, encodeHandshake, type Handshake } from '../wire/handshake.ts'
import { MessageSplitter } from '../wire/message-splitter.ts'
import {
  encodeBare,
  encodeBlockMessages,
  MESSAGE,
  type NamedBlock,
  PIECE_HEADER_BYTES,
  putPieceHeader,
} from '../wire/messages.ts'
import { openRequest } from './web-request.system.ts'
import { firstRun, rangesOfRun, type WebRange } from './web-seed-plan.ts'

// A web server (BEP 19) as a peer: it takes our messages, and answers requests for blocks with what the server gives. So what it
// gives is checked, blamed and limited as of any other.

/** A server that sends no byte in this time is given up, ms. */
const SILENT_MS = 20_000
const PEER_ID = new TextEncoder().encode('-WS0001-web-seed----')

export type WebSeedOptions = {
  url: string
  /** Of the server: what it gives is counted for it. */
  host: string
  port: number
  metainfo: Metainfo
  timers: Timers
  /** Why it ended, a sentence; undefined where we closed it. */
  ended(problem: string | undefined): void
}

export class WebSeedStream extends EventEmitter implements PeerStream {
  readonly prefersRuns = true
  readonly remoteAddress: string
  readonly remotePort: number
  readonly #options: WebSeedOptions
  readonly #splitter: MessageSplitter
  readonly #closing = new AbortController()
  #wanted: NamedBlock[] = []
  #isFetching = false
  #isPaused = false
  #resumed: () => void = () => {}

  constructor(options: WebSeedOptions) {
    super()
    this.remoteAddress = options.host
    this.remotePort = options.port
    this.#options = options
    this.#splitter = new MessageSplitter({
      handshake: (bytes) => this.#hello(decodeHandshake(bytes)),
      message: (message) => this.#take(message),
      violation: () => this.destroy(),
    })
  }

  write(chunk: Uint8Array | string): boolean {
    // What follows from it comes in a later turn, as over a socket.
    const bytes = Buffer.from(chunk as Uint8Array)
    queueMicrotask(() => {
      if (!this.#closing.signal.aborted) this.#splitter.push(bytes)
    })
    return true
  }

  pause(): this {
    this.#isPaused = true
    return this
  }

  resume(): this {
    this.#isPaused = false
    this.#resumed()
    return this
  }

  destroy(error?: Error): this {
    if (this.#closing.signal.aborted) return this
    this.#closing.abort(new Error('the web seed is closed'))
    this.#splitter.stop()
    this.#resumed()
    this.#options.ended(error?.message)
    queueMicrotask(() => this.emit('close'))
    return this
  }

  #say(bytes: Uint8Array): void {
    if (!this.#closing.signal.aborted) this.emit('data', bytes)
  }

  #hello(handshake: Handshake | undefined): void {
    if (handshake === undefined) {
      this.destroy()
      return
    }
    this.#say(encodeHandshake(handshake.infoHash, PEER_ID))
    this.#say(encodeBare(MESSAGE.haveAll))
    this.#say(encodeBare(MESSAGE.unchoke))
  }

  #take(message: Uint8Array): void {
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
    if (message.length !== 13 || (message[0] !== MESSAGE.request && message[0] !== MESSAGE.cancel)) return
    const block = { index: view.getUint32(1), offset: view.getUint32(5), length: view.getUint32(9) }
    if (message[0] === MESSAGE.request) {
      this.#wanted.push(block)
      // All of one turn's requests go into one plan.
      queueMicrotask(() => this.#fetchMore())
      return
    }
    const at = this.#wanted.findIndex((each) => each.index === block.index && each.offset === block.offset)
    if (at < 0) return
    this.#wanted.splice(at, 1)
    this.#say(encodeBlockMessages(MESSAGE.reject, [block]))
  }

  #fetchMore(): void {
    if (this.#isFetching || this.#wanted.length === 0 || this.#closing.signal.aborted) return
    this.#isFetching = true
    this.#fetch()
      .then(() => {
        this.#isFetching = false
        this.#fetchMore()
      })
      .catch((error: Error) => this.destroy(error))
  }

  async #fetch(): Promise<void> {
    const { metainfo, url } = this.#options
    const run = firstRun(metainfo, this.#wanted)
    const taken = new Set(run)
    this.#wanted = this.#wanted.filter((block) => !taken.has(block))
    const blocks = new BlockFiller(run, (bytes) => this.#say(bytes))
    for (const range of rangesOfRun(metainfo, run, url)) {
      if (range.url === undefined) blocks.push(new Uint8Array(range.length))
      else await this.#fetchRange(range.url, range, (bytes) => blocks.push(bytes))
    }
  }

  async #fetchRange(url: string, { from, length }: WebRange, push: (bytes: Uint8Array) => void): Promise<void> {
    const { timers } = this.#options
    const silent = new AbortController()
    const heard = () => timers.after(SILENT_MS, () => silent.abort(new Error(`it sends nothing for ${SILENT_MS / 1_000} s`)))
    let cancel = heard()
    try {
      const response = await openRequest(url, {
        headers: { range: `bytes=${from}-${from + length - 1}`, 'user-agent': 'p2pt', 'accept-encoding': 'identity' },
        // A query asks a service to do something: near us that is nobody's who made a torrent.
        from: new URL(url).search === '' ? 'machine' : 'world',
        follows: true,
        signal: AbortSignal.any([this.#closing.signal, silent.signal]),
      })
      const problem = problemWith(response, url, from)
      if (problem !== undefined) {
        response.destroy()
        throw new Error(problem)
      }
      let left = length
      for await (const chunk of response as AsyncIterable<Uint8Array>) {
        cancel()
        cancel = heard()
        const part = chunk.subarray(0, left)
        left -= part.length
        push(part)
        if (left === 0) break
        if (this.#isPaused) await new Promise<void>((resolve) => (this.#resumed = resolve))
        this.#closing.signal.throwIfAborted()
      }
      if (left > 0) throw new Error(`it ends ${left} bytes early, in ${url}`)
    } catch (error) {
      if (silent.signal.aborted) throw silent.signal.reason
      const { code } = error as { code?: unknown }
      throw code === undefined ? error : new Error(`it breaks off: ${code}`)
    } finally {
      cancel()
    }
  }
}

/** Of an answer to a question for a range. */
function problemWith({ statusCode, headers }: IncomingMessage, url: string, from: number): string | undefined {
  if (statusCode === 200 && from > 0) return 'it does not send parts of a file'
  if (statusCode !== 200 && statusCode !== 206) return `it answers with status ${statusCode} for ${url}`
  const start = /^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1]
  if (statusCode === 206 && start !== undefined && Number(start) !== from)
    return `it sends another part than was asked for, of ${url}`
  const packed = headers['content-encoding'] ?? 'identity'
  return packed === 'identity' ? undefined : `it sends ${url} packed, as ${packed}`
}

/** Cuts bytes into the blocks of a run, each in a message of its own. */
class BlockFiller {
  readonly #run: readonly NamedBlock[]
  readonly #say: (bytes: Uint8Array) => void
  #at = 0
  #message: Uint8Array | undefined
  #filled = 0

  constructor(run: readonly NamedBlock[], say: (bytes: Uint8Array) => void) {
    this.#run = run
    this.#say = say
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const block = this.#run[this.#at]
      if (block === undefined) return
      if (this.#message === undefined) {
        this.#message = new Uint8Array(PIECE_HEADER_BYTES + block.length)
        putPieceHeader(this.#message, 0, block)
        this.#filled = 0
      }
      const part = bytes.subarray(at, at + block.length - this.#filled)
      this.#message.set(part, PIECE_HEADER_BYTES + this.#filled)
      this.#filled += part.length
      at += part.length
      if (this.#filled < block.length) return
      this.#say(this.#message)
      this.#message = undefined
      this.#at++
    }
  }
}
