import assert from 'node:assert/strict'
import { encode } from '../../../src/torrent/bencode.ts'
import type { Peer, PeerLink } from '../../../src/torrent/swarm/peer.ts'
import {
  encodeBare,
  encodeBitfield,
  encodeBlockMessages,
  encodeExtended,
  encodeHave,
  MESSAGE,
  putPieceHeader,
} from '../../../src/torrent/wire/messages.ts'
import { type LabPeer, PIECE_BYTES } from './swarm-lab.ts'

const BLOCK_BYTES = 16_384
const NAMES = new Map<number, string>(Object.entries(MESSAGE).map(([name, id]) => [id, name]))
/** What it calls the extension by which a piece is taken back; the swarm's own name for it is 2. */
const OUR_DONT_HAVE = 2

type Options = { outbound?: boolean; hasFast?: boolean; hasExtended?: boolean; host?: string; port?: number; name?: string }

/** A peer whose every word is written in a test, and that keeps what it is told, as words: `request 0:1` is block 1 of piece 0. */
export class ScriptedPeer {
  readonly peer: Peer | undefined
  /** Why the swarm closed the connection; empty while it is open. */
  closed = ''
  unsentBytes = 0
  readonly #at: LabPeer
  #heard: string[] = []

  constructor(at: LabPeer, options: Options = {}) {
    this.#at = at
    const { outbound = false, hasFast = true, hasExtended = false, host = '192.0.2.1', port = 7_000, name = host } = options
    const link: PeerLink = {
      ...{ host, port, outbound, unsentBytes: 0 },
      send: (bytes, onSent) => {
        this.#hear(bytes)
        onSent?.()
      },
      close: (why) => {
        this.closed = why
      },
    }
    Object.defineProperty(link, 'unsentBytes', { get: () => this.unsentBytes })
    const handshake = { infoHash: new Uint8Array(20), peerId: new Uint8Array(20), hasExtended, hasFast }
    this.peer = at.swarm.joins(link, handshake, Buffer.from(name.padEnd(20).slice(0, 20)).toString('hex'))
  }

  /** What it was told since it was asked the last time. */
  heard(): string[] {
    return this.#heard.splice(0)
  }

  /** Blocks that it was asked for since then, and no other words. */
  asked(): string[] {
    return this.heard()
      .filter((word) => word.startsWith('request '))
      .map((word) => word.slice('request '.length))
  }

  /** The connection ends. */
  leaves(): void {
    if (this.peer?.closed === false) this.peer.close('it left')
  }

  bare(name: 'choke' | 'unchoke' | 'interested' | 'notInterested' | 'haveAll' | 'haveNone'): void {
    this.#say(encodeBare(MESSAGE[name]))
  }

  /** What it has, of so many pieces. */
  bits(count: number, ...indexes: number[]): void {
    const bits = new Uint8Array(Math.ceil(count / 8))
    for (const index of indexes) bits[index >> 3] = (bits[index >> 3] ?? 0) | (0x80 >> (index & 7))
    this.#say(encodeBitfield(bits))
  }

  have(index: number): void {
    this.#say(encodeHave(index))
  }

  lacks(index: number): void {
    const payload = new Uint8Array(4)
    new DataView(payload.buffer).setUint32(0, index)
    this.#say(encodeExtended(OUR_DONT_HAVE, payload))
  }

  extended(said: Parameters<typeof encode>[0]): void {
    this.#say(encodeExtended(0, encode(said)))
  }

  asks(index: number, block: number, length = BLOCK_BYTES): void {
    this.#say(encodeBlockMessages(MESSAGE.request, [{ index, offset: block * BLOCK_BYTES, length }]))
  }

  rejects(index: number, block: number, length = BLOCK_BYTES): void {
    this.#say(encodeBlockMessages(MESSAGE.reject, [{ index, offset: block * BLOCK_BYTES, length }]))
  }

  /** Blocks named as in `asked`, out of the bytes of the torrent. */
  gives(bytes: Uint8Array, ...names: string[]): void {
    for (const name of names) {
      const [index = 0, block = 0] = name.split(':').map(Number)
      const offset = block * BLOCK_BYTES
      const from = index * PIECE_BYTES + offset
      const body = bytes.subarray(from, Math.min(bytes.length, from + BLOCK_BYTES))
      const message = new Uint8Array(13 + body.length)
      putPieceHeader(message, 0, { index, offset, length: body.length })
      message.set(body, 13)
      this.#say(message)
    }
  }

  /** Says nothing but that it is there. */
  stays(): void {
    assert.ok(this.peer)
    this.#at.swarm.chunkEnds(this.peer)
  }

  #say(message: Uint8Array): void {
    assert.ok(this.peer)
    if (this.closed !== '') return
    this.peer.message(message.subarray(4))
    this.#at.swarm.chunkEnds(this.peer)
  }

  #hear(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    for (let at = 0; at < bytes.length; ) {
      const length = view.getUint32(at)
      const id = bytes[at + 4] ?? 0
      const name = length === 0 ? 'keep-alive' : (NAMES.get(id) ?? `message ${id}`)
      const index = length >= 5 ? view.getUint32(at + 5) : 0
      if (length <= 1) this.#heard.push(name)
      else if (id === MESSAGE.have) this.#heard.push(`${name} ${index}`)
      else if (id === MESSAGE.bitfield || id === MESSAGE.extended)
        this.#heard.push(`${name} ${Buffer.from(bytes.subarray(at + 5, at + 4 + length)).toString('hex')}`)
      else this.#heard.push(`${name} ${index}:${view.getUint32(at + 9) / BLOCK_BYTES}`)
      at += 4 + length
    }
  }
}
