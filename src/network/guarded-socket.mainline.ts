import { createSocket } from 'node:dgram'
import { EventEmitter } from 'node:events'
import type { DatagramSocket } from 'bittorrent-dht'
import { isDialable, isKrpcMessage } from '../events/index.ts'

/**
 * A UDP socket for a Mainline DHT node that drops what is not a well-formed message of BEP 5. Every node of
 * bittorrent-dht needs one, that of a torrent engine too: without it one hostile datagram ends the process.
 */
export class GuardedDatagramSocket extends EventEmitter implements DatagramSocket {
  readonly #socket = createSocket({ type: 'udp4', reuseAddr: false })
  #dropped = 0

  constructor() {
    super()
    this.#socket.on('message', (datagram, from) => {
      // A source port of 0 can be forged; the node would put it into its table and tell it to others.
      if (isDialable({ host: from.address, port: from.port }) && isKrpcMessage(datagram, 'private'))
        this.emit('message', datagram, from)
      else this.#dropped++
    })
    this.#socket.on('error', (error) => this.emit('error', error))
    this.#socket.on('listening', () => this.emit('listening'))
    this.#socket.on('close', () => this.emit('close'))
  }

  /** Datagrams that were no messages. */
  get dropped(): number {
    return this.#dropped
  }

  /** Takes its arguments as `dgram` does: port, host and callback, each of which may be left out. */
  bind(...given: readonly (number | string | (() => void) | undefined)[]): void {
    const port = given.find((each) => typeof each === 'number') ?? 0
    const address = given.find((each) => typeof each === 'string')
    const onListening = given.find((each) => typeof each === 'function')
    this.#socket.bind({ port, exclusive: true, ...(address === undefined ? {} : { address }) }, onListening)
  }

  address(): { address: string; port: number } {
    return this.#socket.address()
  }

  send(
    bytes: Uint8Array,
    offset: number,
    length: number,
    port: number,
    host: string,
    onSent?: (error: Error | null) => void,
  ): void {
    // Addresses come from other nodes' answers: one that cannot be sent to is their fault, not an exception.
    if (!isDialable({ host, port })) {
      onSent?.(new Error(`not an address to send to: ${host}:${port}`))
      return
    }
    try {
      this.#socket.send(bytes, offset, length, port, host, (error) => onSent?.(error))
    } catch (error) {
      onSent?.(error as Error)
    }
  }

  close(): void {
    this.#socket.close()
  }
}
