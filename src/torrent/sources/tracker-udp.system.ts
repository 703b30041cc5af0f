import { randomInt } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import type { Timers } from '../../events/index.ts'
import {
  type Announcement,
  readUdpAnswer,
  type TrackerAnswer,
  TrackerError,
  udpAnnounce,
  udpConnect,
} from './tracker-messages.ts'

/** A datagram that is not answered is sent again after this, ms, and twice that, and so on (BEP 15 has 15 s). */
const AGAIN_MS = 3_000
const TRIES = 4

/**
 * One announcement over UDP (BEP 15).
 * @throws TrackerError; the signal's reason
 */
export async function announceUdp(
  tracker: string,
  announcement: Announcement,
  { signal, timers }: { signal: AbortSignal; timers: Timers },
): Promise<TrackerAnswer> {
  const { hostname, port } = new URL(tracker)
  if (port === '') throw new TrackerError('its address has no port')
  const { address, family } = await addressOf(hostname.replace(/^\[|\]$/g, ''))
  signal.throwIfAborted()
  const socket = createSocket({ type: family === 6 ? 'udp6' : 'udp4' })
  try {
    await connected(socket, Number(port), address)
    const exchange = new Exchange(socket, family, timers, signal)
    const hello = await exchange.ask((transaction) => udpConnect(transaction))
    if (!('connection' in hello)) throw new TrackerError('it answers an announcement that nobody has made')
    const answer = await exchange.ask((transaction) => udpAnnounce(hello.connection, transaction, announcement))
    if ('connection' in answer) throw new TrackerError('it connects again instead of answering')
    return answer
  } finally {
    socket.close()
  }
}

async function addressOf(host: string): Promise<{ address: string; family: 4 | 6 }> {
  try {
    const { address, family } = await lookup(host)
    return { address, family: family === 6 ? 6 : 4 }
  } catch {
    throw new TrackerError(`there is no address of ${host}`)
  }
}

/** Only datagrams of this address are heard from then on. */
const connected = (socket: Socket, port: number, address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(new TrackerError(`it cannot be reached: ${error.message}`))
    socket.once('error', failed)
    socket.connect(port, address, () => {
      socket.off('error', failed)
      resolve()
    })
  })

class Exchange {
  readonly #socket: Socket
  readonly #family: 4 | 6
  readonly #timers: Timers
  readonly #signal: AbortSignal

  constructor(socket: Socket, family: 4 | 6, timers: Timers, signal: AbortSignal) {
    this.#socket = socket
    this.#family = family
    this.#timers = timers
    this.#signal = signal
  }

  ask(question: (transaction: number) => Uint8Array): Promise<{ connection: bigint } | TrackerAnswer> {
    const [socket, signal] = [this.#socket, this.#signal]
    const transaction = randomInt(2 ** 32)
    const bytes = question(transaction)
    return new Promise((resolve, reject) => {
      let cancel = () => {}
      const end = (settle: () => void) => {
        cancel()
        socket.off('message', heard)
        socket.off('error', failed)
        signal.removeEventListener('abort', aborted)
        settle()
      }
      const aborted = () => end(() => reject(signal.reason))
      const failed = (error: Error) => end(() => reject(new TrackerError(`it cannot be reached: ${error.message}`)))
      const heard = (datagram: Uint8Array) => {
        try {
          const answer = readUdpAnswer(datagram, transaction, this.#family)
          if (answer !== undefined) end(() => resolve(answer))
        } catch (error) {
          end(() => reject(error))
        }
      }
      const send = (tries: number, waitMs: number) => {
        if (tries === 0) {
          end(() => reject(new TrackerError('it does not answer')))
          return
        }
        socket.send(bytes)
        cancel = this.#timers.after(waitMs, () => send(tries - 1, waitMs * 2))
      }
      socket.on('message', heard)
      socket.on('error', failed)
      signal.addEventListener('abort', aborted)
      send(TRIES, AGAIN_MS)
    })
  }
}
