import { randomBytes } from 'node:crypto'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import { systemDhKeys } from '../src/torrent/encryption/dh.system.ts'
import { hashOfSkey, MseInitiator, MseResponder, type MseStep, type Rc4 } from '../src/torrent/encryption/index.ts'
import { sha1 } from '../src/torrent/sha1.system.ts'
import { Draw } from '../test/torrent/mangled/draw.ts'
import type { MangledTorrent } from '../test/torrent/mangled/mangled-messages.ts'
import { mangledMseOpening } from '../test/torrent/mangled/mangled-mse.ts'
import { fragments, type MangledTalk, mangledHandshake, mangledTalk } from '../test/torrent/mangled/mangled-talk.ts'
import { message } from '../test/torrent/raw-peer.ts'
import { countRead } from './fuzz-read.ts'

// Hostile peers of the client under test, on connections that they make and on those that it makes to them. What each of
// them says follows from the seed and from the number of its connection.

const TALK_MS_MAX = 1_500
const ANSWER_MS_MAX = 1_000
const HANDSHAKE_BYTES = 68
const INFO_HASH_AT = 28
const BLOCK_MESSAGE_BYTES = 17
const REQUEST = 6
/** How a connection begins; the rest is plain. */
const SHARE = { noise: 0.04, encrypted: 0.04, hangsUp: 0.04, answersRequests: 0.03, stays: 0.1, staysShort: 0.03, short: 0.8 }
/** A client makes only so many connections at a time: most are over soon. */
const SHORT_MESSAGES = 8
/** Parts of a seed: connections made by us and by the client draw from streams of their own. */
const MADE_BY_CLIENT = 1_000_000_000

type Talk = MangledTalk & { readonly torrent: MangledTorrent }

export type Counts = {
  connectionsIn: number
  connectionsOut: number
  messagesSent: number
  /** Of those, up to the one that broke a rule and ended its connection. */
  messagesRead: number
}

export class FuzzPeers {
  readonly counts: Counts = { connectionsIn: 0, connectionsOut: 0, messagesSent: 0, messagesRead: 0 }
  /** Numbers of the connections that ended last, for who looks for the one that did it. */
  readonly last: string[] = []
  readonly #seed: number
  readonly #torrents: readonly MangledTorrent[]
  readonly #keys = systemDhKeys()
  readonly #sockets = new Set<Socket>()
  readonly #server: Server
  /** What the next connections of the client hear instead of what is drawn. */
  readonly #scripts: (readonly Uint8Array[])[] = []
  #made = 0
  #taken = 0
  #offered = 0

  private constructor(seed: number, torrents: readonly MangledTorrent[]) {
    this.#seed = seed
    this.#torrents = torrents
    this.#server = createServer((socket) => {
      // Every address of 127.0.0.0/8 is this machine, and each one is another peer to the client. Other hosts are turned away.
      if (socket.remoteAddress?.startsWith('127.')) void this.#take(socket)
      else socket.destroy()
    })
  }

  static async start(seed: number, torrents: readonly MangledTorrent[]): Promise<FuzzPeers> {
    const peers = new FuzzPeers(seed, torrents)
    await new Promise<void>((resolve) => peers.#server.listen(0, '0.0.0.0', resolve))
    return peers
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** Offered to the client, and not dialled by it yet. */
  get waiting(): number {
    return this.#offered - this.#taken
  }

  /** Addresses that the client has not dialled before, all of them ours. */
  endpoints(count: number): string[] {
    return Array.from({ length: count }, () => `${addressOf(++this.#offered)}:${this.port}`)
  }

  /** The next connection that the client makes hears these chunks behind its handshake. */
  script(chunks: readonly Uint8Array[]): void {
    this.#scripts.push(chunks)
  }

  /** Scripts that nobody has heard. */
  get unheard(): number {
    return this.#scripts.length
  }

  /** One connection to the client, from an address of its own; resolves when it is over. @param chunks said as they are, instead of what is drawn */
  async dial(port: number, chunks?: readonly Uint8Array[]): Promise<void> {
    const number = ++this.#made
    const socket = connect({ port, host: '127.0.0.1', localAddress: addressOf(number) })
    await this.#during(socket, `in ${number}`, async () => {
      await event(socket, 'connect')
      this.counts.connectionsIn++
      const draw = new Draw(this.#seed, number)
      const line = new Line(socket, draw)
      if (chunks !== undefined) return line.sayAsCut(chunks)
      const talk = mangledTalk(draw, this.#torrents)
      if (draw.chance(SHARE.noise)) return line.say([mangledMseOpening(draw)])
      if (draw.chance(SHARE.encrypted)) {
        const { infoHash } = talk.torrent
        const offer = draw.of(['rc4', 'plaintext', 'both'] as const)
        const mse = new MseInitiator({ infoHash, offer, initialPayload: talk.handshake, keys: this.#keys, randomBytes, sha1 })
        await line.say([mse.start()])
        if (await line.agrees(mse)) await this.#talks(line, draw, { ...talk, handshake: new Uint8Array() })
        return
      }
      await this.#talks(line, draw, talk)
    })
  }

  async end(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #take(socket: Socket): Promise<void> {
    const number = ++this.#taken
    this.counts.connectionsOut++
    await this.#during(socket, `out ${number}`, async () => {
      const draw = new Draw(this.#seed, MADE_BY_CLIENT + number)
      const line = new Line(socket, draw)
      const first = await line.heard(1)
      const script = this.#scripts.shift()
      if (script !== undefined) return line.sayAsCut(script)
      if (draw.chance(SHARE.hangsUp)) return
      if (draw.chance(SHARE.noise)) return line.say([mangledMseOpening(draw)])
      let hello = first
      if (first[0] !== 0x13) {
        const mse = this.#responder()
        if (!(await line.agrees(mse))) return
        hello = await line.heard(HANDSHAKE_BYTES)
      } else if (first.length < HANDSHAKE_BYTES) hello = await line.heard(HANDSHAKE_BYTES)
      const asked = Buffer.from(hello.subarray(INFO_HASH_AT, INFO_HASH_AT + 20))
      const torrent = this.#torrents.find(({ infoHash }) => asked.equals(infoHash)) ?? draw.of(this.#torrents)
      const talk = mangledTalk(draw, [torrent])
      const messages = draw.chance(SHARE.short) ? talk.messages.slice(0, SHORT_MESSAGES) : talk.messages
      await this.#talks(line, draw, { torrent, messages, handshake: mangledHandshake(draw, torrent) }, SHARE.staysShort)
    })
  }

  #responder(): MseResponder {
    return new MseResponder({
      infoHashOf: (hash) =>
        this.#torrents.find(({ infoHash }) => Buffer.from(hashOfSkey(sha1, infoHash)).equals(hash))?.infoHash,
      ...{ accept: 'both', keys: this.#keys, randomBytes, sha1 },
    })
  }

  async #talks(line: Line, draw: Draw, { torrent, handshake, messages }: Talk, stays = SHARE.stays) {
    if (draw.chance(SHARE.answersRequests)) line.answersRequests()
    await line.say([handshake, ...messages])
    const sent = line.whole(handshake.length, messages)
    this.counts.messagesSent += sent
    const isRight = handshake.length === 0 || handshake.length === HANDSHAKE_BYTES
    if (isRight) this.counts.messagesRead += countRead(messages.slice(0, sent), torrent)
    if (draw.chance(stays)) await wait(draw.below(TALK_MS_MAX))
  }

  async #during(socket: Socket, name: string, run: () => Promise<void>): Promise<void> {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    const late = setTimeout(() => socket.destroy(), 2 * TALK_MS_MAX)
    try {
      await run()
    } catch {
      // The client hung up, as it should.
    }
    // What was written is to be read before the end comes.
    socket.end()
    await Promise.race([closed, wait(100)])
    socket.destroy()
    await closed
    clearTimeout(late)
    this.#sockets.delete(socket)
    this.last.push(name)
    if (this.last.length > 100) this.last.shift()
  }
}

/** A connection as a hostile peer holds it: it says bytes in pieces, and hears. */
class Line {
  readonly #socket: Socket
  readonly #draw: Draw
  #heard: Buffer = Buffer.alloc(0)
  #said = 0
  #encrypt: Rc4 | undefined
  #answers = false

  constructor(socket: Socket, draw: Draw) {
    this.#socket = socket
    this.#draw = draw
    socket.setNoDelay(true)
    socket.on('data', (bytes) => {
      if (this.#answers) this.#answer(bytes)
      else if (this.#heard.length < 4_096) this.#heard = Buffer.concat([this.#heard, bytes])
    })
  }

  async say(parts: readonly Uint8Array[]): Promise<void> {
    const bytes = Buffer.concat(parts)
    await this.sayAsCut(fragments(this.#draw, this.#encrypt?.apply(bytes) ?? bytes))
  }

  async sayAsCut(chunks: Iterable<Uint8Array>): Promise<void> {
    this.#said = 0
    for (const chunk of chunks) {
      if (this.#socket.destroyed || this.#socket.readableEnded) return
      if (!this.#socket.write(chunk)) await event(this.#socket, 'drain')
      else await turn()
      this.#said += chunk.length
    }
  }

  /** How many of the messages left as a whole. */
  whole(handshakeBytes: number, messages: readonly Uint8Array[]): number {
    let at = handshakeBytes
    let count = 0
    for (const { length } of messages) {
      at += length
      if (at <= this.#said) count++
    }
    return count
  }

  /** Resolves with what the client has said once that many bytes came. @throws if they do not come in time */
  async heard(bytes: number): Promise<Buffer> {
    while (this.#heard.length < bytes) await event(this.#socket, 'data')
    return this.#heard
  }

  /** @returns true if the encrypted handshake came to its end */
  async agrees(mse: MseInitiator | MseResponder): Promise<boolean> {
    for (;;) {
      const bytes = await this.heard(1)
      this.#heard = Buffer.alloc(0)
      const step: MseStep = mse.receive(bytes)
      if (step.send !== undefined) await this.say([step.send])
      if (step.state === 'failed') return false
      if (step.state === 'more') continue
      this.#encrypt = step.encrypt
      this.#heard = Buffer.from(step.incoming)
      return true
    }
  }

  /** From here on each request in the clear gets a block, of nothing that is right. */
  answersRequests(): void {
    this.#answers = true
  }

  #answer(bytes: Uint8Array): void {
    for (let at = 0; at + BLOCK_MESSAGE_BYTES <= bytes.length && bytes[at + 4] === REQUEST; at += BLOCK_MESSAGE_BYTES) {
      const length = Math.min(16_384, new DataView(bytes.buffer, bytes.byteOffset + at + 13).getUint32(0))
      if (!this.#socket.writable || this.#socket.writableLength > 262_144) return
      this.#socket.write(message(7, bytes.subarray(at + 5, at + 13), new Uint8Array(length).fill(this.#draw.below(256))))
    }
  }
}

/** Four million of them, each another host to the client. */
const addressOf = (number: number): string => `127.${1 + ((number >> 14) % 250)}.${(number >> 7) & 127}.${1 + (number & 127)}`

/** Once it happens. @throws if the connection ends first, or it does not happen in time */
function event(socket: Socket, name: 'connect' | 'data' | 'drain'): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error): void => {
      clearTimeout(timer)
      socket.off(name, happened)
      socket.off('close', gone)
      socket.off('end', gone)
      if (error === undefined) resolve()
      else reject(error)
    }
    const happened = (): void => done()
    const gone = (): void => done(new Error('the connection ended'))
    const timer = setTimeout(() => done(new Error('too late')), ANSWER_MS_MAX)
    socket.once(name, happened)
    socket.once('close', gone)
    socket.once('end', gone)
    if (socket.destroyed || socket.readableEnded) gone()
  })
}
