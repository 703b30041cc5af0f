import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import type { InfoHash } from '../../src/events/index.ts'
import { fromHex } from '../../src/events/index.ts'

// A BitTorrent peer written by hand, byte by byte: it says what no client would.

/** `first`: messages in one piece with the handshake. */
export type RawOptions = { extended?: boolean; fast?: boolean; peerId?: Uint8Array; first?: readonly Uint8Array[] }

export class RawPeer {
  readonly socket: Socket
  readonly received: Uint8Array[] = []
  readonly closed: Promise<void>

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', (bytes) => this.received.push(bytes))
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
  }

  /** Connects and sends its handshake; resolves when the other side's handshake is there. */
  static async dial(port: number, infoHash: InfoHash, options: RawOptions = {}): Promise<RawPeer> {
    const peer = await RawPeer.open(port)
    peer.hello(infoHash, options)
    while (peer.bytesReceived < 68 && !peer.socket.destroyed) {
      await Promise.race([once(peer.socket, 'data'), peer.closed])
    }
    return peer
  }

  /** Connects and says nothing. */
  static async open(port: number): Promise<RawPeer> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new RawPeer(socket)
  }

  hello(infoHash: InfoHash, options: RawOptions = {}): this {
    this.socket.write(Buffer.concat([handshake(infoHash, options), ...(options.first ?? [])]))
    return this
  }

  get bytesReceived(): number {
    return this.received.reduce((sum, bytes) => sum + bytes.length, 0)
  }

  /** The messages that came after the handshake, without their length. */
  get messages(): Uint8Array[] {
    const bytes = Buffer.concat(this.received)
    const messages: Uint8Array[] = []
    let at = 68
    while (at + 4 <= bytes.length && at + 4 + bytes.readUInt32BE(at) <= bytes.length) {
      const length = bytes.readUInt32BE(at)
      messages.push(bytes.subarray(at + 4, at + 4 + length))
      at += 4 + length
    }
    return messages
  }

  send(...messages: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(messages))
  }

  end(): void {
    this.socket.destroy()
  }
}

export function handshake(
  infoHash: InfoHash,
  { extended = true, fast = true, peerId = Buffer.from('-XX0001-hostile-peer') }: RawOptions = {},
) {
  const reserved = Buffer.alloc(8)
  if (extended) reserved[5] = 0x10
  if (fast) reserved[7] = 0x04
  return Buffer.concat([Buffer.from('\u0013BitTorrent protocol'), reserved, fromHex(infoHash), peerId])
}

/** One message: length, id, payload. */
export function message(id: number, ...payload: readonly (number | Uint8Array)[]): Uint8Array {
  const parts = payload.map((part) => (typeof part === 'number' ? uint32(part) : part))
  const body = Buffer.concat([Buffer.from([id]), ...parts])
  return Buffer.concat([uint32(body.length), body])
}

export const extended = (id: number, payload: string | Uint8Array): Uint8Array =>
  message(20, Buffer.from([id]), typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload)

export function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}
