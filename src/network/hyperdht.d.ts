// Only what transport.hyperswarm.ts and its parts use of hyperdht 6 and of the streams it makes.
declare module 'hyperdht' {
  import type { EventEmitter } from 'node:events'

  type Address = { host: string; port: number }
  type KeyPair = { publicKey: Buffer; secretKey: Buffer }

  type Options = {
    port?: number
    host?: string
    anyPort?: boolean
    bootstrap?: readonly Address[]
    keyPair?: KeyPair
    firewalled?: boolean
    ephemeral?: boolean
    connectionKeepAlive?: number
  }

  interface RawStream extends EventEmitter {
    readonly remoteHost: string | null
    readonly remotePort: number
    pause(): unknown
    /** @throws Error for what is no IPv4 or IPv6 address, a port that is none, or a socket that is closed */
    connect(socket: unknown, remoteId: number, port: number, host: string): void
    destroy(error?: Error): unknown
  }

  /** What one side of a connection says of itself while it is made; see hyperdht/lib/messages.js. */
  type HandshakePayload = {
    readonly addresses4: readonly Address[]
    readonly addresses6: readonly Address[]
    readonly holepunch: {
      readonly id: number
      readonly relays: readonly { readonly relayAddress: Address; readonly peerAddress: Address }[]
    } | null
    readonly relayAddresses: readonly Address[] | null
    readonly relayThrough: unknown
  }

  interface Handshake {
    /** @throws Error */
    recv(noise: Buffer): HandshakePayload
  }

  type CreateHandshake = (keyPair: KeyPair, remotePublicKey: Buffer | null) => Handshake

  type ConnectOptions = { relayAddresses?: readonly Address[]; keyPair?: KeyPair; createHandshake?: CreateHandshake }
  type ServerOptions = { firewall?: () => boolean; createHandshake?: CreateHandshake }

  /** A query of the DHT: its replies, or its end. */
  interface Query extends AsyncIterable<{ peers: readonly { publicKey: Buffer; relayAddresses: readonly Address[] }[] }> {
    finished(): Promise<void>
  }

  interface Server {
    readonly relayAddresses: readonly Address[]
    readonly createHandshake: CreateHandshake
    listen(keyPair: KeyPair): Promise<unknown>
    close(): Promise<void>
  }

  interface SecretStream extends EventEmitter {
    readonly isInitiator: boolean
    readonly remotePublicKey: Buffer
    readonly rawStream: RawStream | null
    readonly rawBytesRead: number
    /** false if it was destroyed first; never rejects */
    readonly opened: Promise<boolean>
    readonly destroyed: boolean
    readonly destroying: boolean
    readonly _readableState: { readonly buffered: number }
    setKeepAlive(ms: number): void
    setTimeout(ms: number): void
    alloc(bytes: number): Buffer
    write(bytes: Uint8Array): boolean
    pause(): unknown
    resume(): unknown
    end(): unknown
    destroy(error?: Error): unknown
  }

  class HyperDHT {
    constructor(options: Options)
    static keyPair(seed?: Buffer): KeyPair
    static bootstrapper(port: number, host: string, options: Options): HyperDHT
    bootstrapNodes: Address[]
    readonly host: string | null
    readonly port: number
    readonly destroyed: boolean
    /** True until it is known that others reach us unasked. */
    readonly firewalled: boolean
    bind(): Promise<void>
    fullyBootstrapped(): Promise<void>
    address(): Address | null
    ping(address: Address, options?: { retry?: boolean }): Promise<{ from: Address & { id: Buffer | null } }>
    toArray(options?: { limit?: number }): Address[]
    connect(publicKey: Buffer, options?: ConnectOptions): SecretStream
    createServer(options: ServerOptions, onStream: (stream: SecretStream) => void): Server
    /** The stream under a connection that is to be made. */
    createRawStream(options: object): RawStream
    lookup(topic: Buffer): Query
    announce(topic: Buffer, keyPair: KeyPair, relayAddresses: readonly Address[]): Query
    destroy(options?: { force?: boolean }): Promise<void>
  }

  namespace HyperDHT {
    export type {
      Address,
      CreateHandshake,
      Handshake,
      HandshakePayload,
      KeyPair,
      Options,
      Query,
      RawStream,
      SecretStream,
      Server,
    }
  }

  export = HyperDHT
}
