// A server of HyperDHT that answers a connection through it with whatever a test says, as if it were reached over a relay.
import { createRequire } from 'node:module'
import HyperDHT from 'hyperdht'

const require = createRequire(import.meta.url)

type Codec = { decode(type: unknown, bytes: Uint8Array): Handshake; encode(type: unknown, value: object): Buffer }
type Handshake = { noise: Buffer }
type NoiseWrap = { recv(noise: Buffer): unknown; send(payload: object): Buffer }
type Request = { command: number; value: Buffer | null; reply(value: Buffer, options: object): void }

/** As HyperDHT itself has it. */
const requireOfHyperdht = createRequire(require.resolve('hyperdht'))
const codec = requireOfHyperdht('compact-encoding') as Codec
const { handshake: HANDSHAKE } = require('hyperdht/lib/messages.js') as { handshake: unknown }
const NoiseWrap = require('hyperdht/lib/noise-wrap.js') as new (
  keyPair: HyperDHT.KeyPair,
  remotePublicKey: Buffer | null,
) => NoiseWrap

export const PEER_HANDSHAKE = 0
const FROM_RELAY = 2
const REPLY = 4
export const FIREWALL = { unknown: 0, open: 1, consistent: 2, random: 3 }

type Address = HyperDHT.Address
export type Lie = {
  firewall?: number
  addresses4?: readonly Address[]
  addresses6?: readonly Address[]
  relayAddresses?: readonly Address[] | null
  holepunch?: { id: number; relays: readonly { relayAddress: Address; peerAddress: Address }[] } | null
  relayThrough?: { publicKey: Buffer; token: Buffer } | null
  udx?: { reusableSocket: boolean; id: number; seq: number } | null
}

const payloadOf = (lie: Lie): object => ({
  ...{ error: 0, firewall: FIREWALL.open, holepunch: null, addresses4: [], addresses6: [] },
  ...{ udx: { reusableSocket: false, id: 7, seq: 0 }, secretStream: {}, relayThrough: null, relayAddresses: null },
  ...lie,
})

/** The value of a request that asks a server for a connection, relayed for `peerAddress` if there is one. */
export function askToConnect(lie: Lie, server: Buffer, peerAddress: Address | null): Buffer {
  const noise = new NoiseWrap(HyperDHT.keyPair(), server).send(payloadOf(lie))
  return codec.encode(HANDSHAKE, { mode: peerAddress === null ? 0 : FROM_RELAY, noise, peerAddress, relayAddress: null })
}

export class LyingServer implements AsyncDisposable {
  readonly keyPair = HyperDHT.keyPair()
  readonly endpoint: Address
  readonly #dht: HyperDHT
  /** What it says of itself next, and where it says it is. */
  lie: { payload: Lie; peerAddress: Address | null } = { payload: {}, peerAddress: null }
  handshakes = 0

  private constructor(dht: HyperDHT) {
    this.#dht = dht
    this.endpoint = { host: '127.0.0.1', port: dht.address()?.port ?? 0 }
    const node = dht as unknown as { onrequest(request: Request): boolean }
    node.onrequest = (request) => this.#answer(request)
  }

  static async start(): Promise<LyingServer> {
    const dht = new HyperDHT({ host: '127.0.0.1', bootstrap: [], firewalled: false })
    await dht.fullyBootstrapped()
    return new LyingServer(dht)
  }

  #answer(request: Request): boolean {
    if (request.command !== PEER_HANDSHAKE || request.value === null) return false
    const { noise } = codec.decode(HANDSHAKE, request.value)
    const wrap = new NoiseWrap(this.keyPair, null)
    wrap.recv(noise)
    const reply = { mode: REPLY, noise: wrap.send(payloadOf(this.lie.payload)), relayAddress: null }
    this.handshakes++
    request.reply(codec.encode(HANDSHAKE, { ...reply, peerAddress: this.lie.peerAddress }), {
      token: false,
      closerNodes: false,
    })
    return true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dht.destroy({ force: true })
  }
}
