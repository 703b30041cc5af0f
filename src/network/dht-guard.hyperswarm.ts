import type HyperDHT from 'hyperdht'
import { isDialable } from '../events/index.ts'

// HyperDHT trusts what a peer says of itself in the handshake that makes a connection. Three of those words end the
// process, or let a stranger do so; docs/library-callbacks.md has the paths. They are taken out where bytes become values,
// in the handshake, and the stream under each connection throws nothing any more.

/**
 * Makes a DHT node safe against what the other side of a connection says, either side's making. To be called before
 * anything is connected or served.
 */
export function guardDht(dht: HyperDHT): HyperDHT {
  // A server that listens to nobody tells how handshakes are made.
  const { createHandshake } = dht.createServer({}, () => {})
  const guarded: HyperDHT.CreateHandshake = (...keys) => guardHandshake(createHandshake(...keys))
  const { connect, createServer, createRawStream } = dht
  dht.connect = (key, options) => connect.call(dht, key, { ...options, createHandshake: guarded })
  dht.createServer = (options, onStream) => createServer.call(dht, { ...options, createHandshake: guarded }, onStream)
  dht.createRawStream = (options) => guardRawStream(createRawStream.call(dht, options))
  return dht
}

function guardHandshake(handshake: HyperDHT.Handshake): HyperDHT.Handshake {
  const recv = handshake.recv.bind(handshake)
  handshake.recv = (noise) => {
    let payload: HyperDHT.HandshakePayload
    try {
      payload = recv(noise)
    } catch (cause) {
      // HyperDHT throws a TypeError or RangeError again, outside of every handler.
      throw new Error('the bytes are no handshake', { cause })
    }
    return harmless(payload)
  }
  return handshake
}

/** The payload without addresses that nobody can have, and without a third node through which to connect. */
function harmless(payload: HyperDHT.HandshakePayload): HyperDHT.HandshakePayload {
  const { addresses4, holepunch, relayAddresses } = payload
  const relays = holepunch?.relays.filter((relay) => isDialable(relay.relayAddress) && isDialable(relay.peerAddress)) ?? []
  return {
    ...payload,
    addresses4: addresses4.filter(isDialable),
    addresses6: [],
    // Without a relay there is nobody to punch with.
    holepunch: holepunch === null ? null : { ...holepunch, relays },
    relayAddresses: relayAddresses?.filter(isDialable) ?? null,
    // The connection to it would carry a protomux without a guard. We never relay.
    relayThrough: null,
  }
}

/** A stream that ends where UDX throws: its caller stands in a callback of a socket, or in a promise that nobody awaits. */
function guardRawStream(stream: HyperDHT.RawStream): HyperDHT.RawStream {
  const connect = stream.connect
  stream.connect = (socket, remoteId, port, host) => {
    try {
      connect.call(stream, socket, remoteId, port, host)
    } catch (error) {
      stream.destroy(error as Error)
    }
  }
  return stream
}
