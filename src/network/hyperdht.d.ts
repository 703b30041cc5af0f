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
  }

  /** A query of the DHT: its replies, or its end. */
  interface Query extends AsyncIterable<{ peers: readonly { publicKey: Buffer; relayAddresses: readonly Address[] }[] }> {
    finished(): Promise<void>
  }

  interface Server {
    readonly relayAddresses: readonly Address[]
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
    connect(publicKey: Buffer, options: { relayAddresses?: readonly Address[]; keyPair: KeyPair }): SecretStream
    createServer(options: { firewall?: () => boolean }, onStream: (stream: SecretStream) => void): Server
    lookup(topic: Buffer): Query
    announce(topic: Buffer, keyPair: KeyPair, relayAddresses: readonly Address[]): Query
    destroy(options?: { force?: boolean }): Promise<void>
  }

  namespace HyperDHT {
    export type { Address, KeyPair, Options, Query, RawStream, SecretStream, Server }
  }

  export = HyperDHT
}
