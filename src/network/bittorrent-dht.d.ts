// Only what is used of bittorrent-dht 11, by network/peer-directory.mainline.ts and torrent/engine.tcp.ts, its inside included.
declare module 'bittorrent-dht' {
  import type { Socket } from 'node:dgram'
  import type { EventEmitter } from 'node:events'

  type Address = { host: string; port: number }

  /** The part of a `dgram.Socket` that the node under it calls. */
  interface DatagramSocket extends EventEmitter {
    bind(port: number, host: string, onListening?: () => void): unknown
    address(): { address: string; port: number }
    send(
      bytes: Uint8Array,
      offset: number,
      length: number,
      port: number,
      host: string,
      onSent?: (error: Error | null) => void,
    ): void
    close(): unknown
  }

  type Options = {
    nodeId?: Buffer
    /** Without it, or with `true`, the public network. */
    bootstrap: readonly Address[]
    /** ms after which an announced peer is forgotten; 0: never */
    maxAge: number
    /** Look-ups that are remembered. */
    maxTables?: number
    socket?: DatagramSocket
  }

  /** As events/announced-peers.ts has it; an ambient module cannot import that. */
  type PeerStore = {
    add(infoHash: string, peer: Uint8Array): void
    get(infoHash: string, count?: number): readonly Uint8Array[]
    destroy(): void
  }

  export default class DHT extends EventEmitter {
    constructor(options: Options)
    readonly nodeId: Buffer
    /** Of announced peers, by info hash in hex. */
    _peers: PeerStore
    readonly nodes: { toArray(): readonly Address[]; count(): number }
    readonly destroyed: boolean
    readonly _rpc: { socket: { socket: Socket } }
    listen(port: number, host: string, onListening: () => void): void
    address(): { address: string; port: number }
    /** Pings the address and takes it into the routing table when it answers. */
    addNode(address: Address): void
    /** Peers come as 'peer' events. @returns a function that stops them */
    lookup(infoHash: string | Uint8Array, onDone?: (error: Error | null) => void): () => void
    announce(infoHash: string, port: number, onDone?: (error: Error | null) => void): void
    destroy(onClosed: () => void): void
  }
}
