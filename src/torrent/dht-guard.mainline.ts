import type { RemoteInfo, Socket } from 'node:dgram'
import { isKrpcMessage, type MainlineDht } from '../events/index.ts'

/**
 * Puts a check before every handler of a Mainline DHT socket: a datagram that is no message of BEP 5 is dropped, and
 * an exception in a handler ends with the datagram. Without it one datagram ends the process: a number where BEP 5 has a
 * 20 byte string throws, and a negative string length is decoded for ever.
 * @param mayHear asked before anything is read
 */
export function guardDatagrams(
  socket: Socket,
  dht: MainlineDht,
  rejected: () => void,
  mayHear: (from: RemoteInfo) => boolean = () => true,
): void {
  const handlers = socket.listeners('message')
  socket.removeAllListeners('message')
  socket.on('message', (datagram: Uint8Array, from: RemoteInfo) => {
    // Port 0 cannot be answered: the answer throws.
    if (from.port === 0 || !mayHear(from) || !isKrpcMessage(datagram, dht)) return rejected()
    try {
      for (const handler of handlers) handler.call(socket, datagram, from)
    } catch {
      rejected()
    }
  })
}
