// Only what transport.hyperswarm.ts and its parts use of hyperswarm 4.
declare module 'hyperswarm' {
  import type { EventEmitter } from 'node:events'
  import type HyperDHT from 'hyperdht'

  type Options = {
    dht: HyperDHT
    keyPair: HyperDHT.KeyPair
    maxPeers?: number
    maxParallel?: number
    firewall?: (publicKey: Buffer) => boolean
  }

  interface Session {
    /** @returns false if the look-up failed */
    refresh(options?: { server?: boolean; client?: boolean }): Promise<boolean>
  }

  class Hyperswarm extends EventEmitter {
    constructor(options: Options)
    readonly peers: Map<string, { ban(banned: boolean): void }>
    readonly connections: Set<HyperDHT.SecretStream>
    readonly server: { refresh(): void }
    readonly destroyed: boolean
    listen(): Promise<unknown>
    join(topic: Buffer, options?: { server?: boolean; client?: boolean }): Session
    destroy(options?: { force?: boolean }): Promise<void>
  }

  namespace Hyperswarm {
    export type { Options, Session }
  }

  export = Hyperswarm
}
