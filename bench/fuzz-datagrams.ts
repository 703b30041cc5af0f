import { createSocket, type Socket } from 'node:dgram'
import { setTimeout as wait } from 'node:timers/promises'
import { decode } from '../src/torrent/bencode.ts'
import { Draw } from '../test/torrent/mangled/draw.ts'
import { mangledAnswer, mangledDatagram } from '../test/torrent/mangled/mangled-krpc.ts'

// Hostile nodes of the Mainline DHT: datagrams that nobody asked for, and answers to what the client asks of them, since
// who has sent it a query is taken for a node.

/** Sent at a time: more than a socket's buffer holds would not arrive. */
const BURST = 100
const PAUSE_MS = 10
const SOCKETS = 8
/** Of a seed: what the connections draw is another's. */
const PART = 2_000_000_000

export class FuzzDatagrams {
  sent = 0
  /** Queries of the client that were answered. */
  answered = 0
  readonly #seed: number
  readonly #port: number
  readonly #infoHashes: readonly Uint8Array[]
  readonly #peers: () => readonly Uint8Array[]
  readonly #sockets: readonly Socket[]

  /** @param port of the client's DHT node @param peers compact addresses it is told of */
  constructor(seed: number, port: number, infoHashes: readonly Uint8Array[], peers: () => readonly Uint8Array[]) {
    this.#seed = seed
    this.#port = port
    this.#infoHashes = infoHashes
    this.#peers = peers
    this.#sockets = Array.from({ length: SOCKETS }, (_, at) => {
      const socket = createSocket('udp4')
      socket.bind(0, `127.255.0.${at + 1}`)
      socket.on('error', () => {})
      socket.on('message', (query) => this.#answer(socket, query))
      return socket
    })
  }

  /** Sends these, and waits until they are out. */
  async say(datagrams: readonly Uint8Array[]): Promise<void> {
    await Promise.all(
      datagrams.map(
        (datagram, at) =>
          new Promise<void>((resolve) => {
            const socket = this.#sockets[at % SOCKETS]
            if (socket === undefined) return resolve()
            socket.send(datagram, this.#port, '127.0.0.1', (error) => {
              if (error === null) this.sent++
              resolve()
            })
          }),
      ),
    )
  }

  async run(signal: AbortSignal, count: number): Promise<void> {
    while (!signal.aborted && this.sent < count) {
      const from = this.sent
      await this.say(Array.from({ length: BURST }, (_, at) => this.#drawn(from + at)))
      await wait(PAUSE_MS)
    }
  }

  end(): void {
    for (const socket of this.#sockets) socket.close()
  }

  #drawn(number: number): Uint8Array {
    return mangledDatagram(new Draw(this.#seed, PART + number), this.#infoHashes)
  }

  #answer(socket: Socket, query: Uint8Array): void {
    try {
      const said = decode(query)
      const transaction = said instanceof Map && Buffer.from(said.get('y') as Uint8Array).toString() === 'q' && said.get('t')
      if (!(transaction instanceof Uint8Array)) return
      const draw = new Draw(this.#seed, -1 - this.answered++)
      socket.send(mangledAnswer(draw, transaction, this.#peers()), this.#port, '127.0.0.1', () => {})
    } catch {
      // Not a query.
    }
  }
}
