// The part of webtorrent 3.0.21 that the adapter uses, its inside included: see the *.webtorrent.ts beside it.

declare module 'webtorrent' {
  import type { EventEmitter } from 'node:events'
  import type { Server, Socket } from 'node:net'
  import type { MainlineNode } from 'webtorrent/lib/dht'
  import type { Throttles } from 'webtorrent/lib/peer.js'
  import type { ChunkStore, Torrent } from 'webtorrent/lib/torrent.js'

  export type ClientOptions = {
    torrentPort: { host: string; port: number }
    dhtPort: { address: string; port: number }
    dht: { bootstrap: readonly string[]; maxAge: number; maxTables: number }
    tracker: false
    lsd: false
    utPex: boolean
    natUpnp: false
    natPmp: false
    webSeeds: false
    utp: false
    secure: 0
    maxConns: number
    downloadLimit: number
    uploadLimit: number
  }

  export type AddTorrentOptions = {
    path: string
    announce: readonly string[]
    urlList: readonly string[]
    private: boolean
    storeCacheSlots: number
    bitfield?: Uint8Array
    preloadedStore?: ChunkStore
  }

  export default class WebTorrent extends EventEmitter {
    constructor(options: ClientOptions)
    readonly peerId: string
    maxConns: number
    /** Bytes a second; -1: no limit. */
    throttleDownload(rate: number): void
    throttleUpload(rate: number): void
    readonly torrentPort: number
    readonly listening: boolean
    readonly destroyed: boolean
    readonly dht: MainlineNode
    readonly throttleGroups: Throttles
    readonly _connPool: { tcpServer: Server; _onTCPConnectionBound: (socket: Socket) => void }
    add(source: Uint8Array | string, options: AddTorrentOptions): Torrent
    destroy(done: (error?: Error | null) => void): void
  }
}

declare module 'webtorrent/lib/dht' {
  import type { Socket } from 'node:dgram'
  import type { EventEmitter } from 'node:events'

  /** As events/announced-peers.ts has it; an ambient module cannot import that. */
  type PeerStore = {
    add(infoHash: string, peer: Uint8Array): void
    get(infoHash: string, count?: number): readonly Uint8Array[]
    destroy(): void
  }

  export class MainlineNode extends EventEmitter {
    readonly listening: boolean
    readonly destroyed: boolean
    readonly nodeId: Uint8Array
    readonly nodes: { count(): number }
    readonly _rpc: { socket: { socket: Socket } }
    /** Of announced peers, by info hash in hex. */
    _peers: PeerStore
    address(): { address: string; port: number }
    addNode(node: { host: string; port: number }): void
    lookup(infoHash: string | Uint8Array, done?: (error: Error | null) => void): () => void
    announce(infoHash: string, port: number, done?: (error: Error | null) => void): void
  }
}

declare module 'webtorrent/lib/peer.js' {
  import type { EventEmitter } from 'node:events'
  import type { Socket } from 'node:net'
  import type { Torrent } from 'webtorrent/lib/torrent.js'
  import type { Wire } from 'webtorrent/lib/wire'

  export type Throttles = { up: unknown; down: unknown }

  export default class Peer extends EventEmitter {
    static createTCPIncomingPeer(socket: Socket, throttles: Throttles, secure: 0): Peer
    static createTCPOutgoingPeer(address: string, swarm: Torrent, throttles: Throttles, source: string, secure: 0): Peer
    readonly id: string
    conn: Socket | null
    /** Null until there is a connection, and after it. */
    readonly wire: Wire | null
    swarm: Torrent | null
    onConnect(): void
    onHandshake(infoHash: string, peerId: string): void
    destroy(error?: Error): void
  }
}

declare module 'webtorrent/lib/torrent.js' {
  import type { EventEmitter } from 'node:events'
  import type Peer from 'webtorrent/lib/peer.js'
  import type { Wire } from 'webtorrent/lib/wire'

  /** A piece that is not complete yet. */
  export class Piece {
    constructor(length: number)
    readonly length: number
    readonly _flushed: boolean
    readonly _reservations: number
    readonly _buffer: readonly (Uint8Array | undefined)[] | null
  }

  type Done<T = void> = (error: Error | null, value?: T) => void

  /** https://github.com/mafintosh/abstract-chunk-store */
  export interface ChunkStore {
    readonly chunkLength: number
    put(index: number, piece: Uint8Array, done: Done): void
    get(index: number, range: { offset?: number; length?: number } | Done<Uint8Array> | null, done?: Done<Uint8Array>): void
    close(done: Done): void
    destroy(done: Done): void
  }

  export class Torrent extends EventEmitter {
    readonly infoHash: string | undefined
    readonly ready: boolean
    readonly done: boolean
    readonly destroyed: boolean
    readonly metadata: Uint8Array | null
    readonly pieces: (Piece | null)[]
    readonly bitfield: { buffer: Uint8Array; get(index: number): boolean } | undefined
    readonly wires: readonly Wire[]
    readonly received: number
    readonly uploaded: number
    readonly downloadSpeed: number
    readonly uploadSpeed: number
    readonly _peers: ReadonlyMap<string, Peer> | null
    _preloadedStore: ChunkStore | null
    _startupBitfield: Uint8Array | undefined
    addPeer(address: string): boolean
    destroy(options: { destroyStore: boolean }, done: (error?: Error | null) => void): void
    select(first: number, last: number, priority: number): void
    deselect(first: number, last: number): void
    _addIncomingPeer(peer: Peer): void
    _registerPeer(peer: Peer): void
    _addPeer(address: string, type: string, source: string): Peer | null
    _onMetadata(metadata: unknown): Promise<void> | void
    _rechoke(): void
    _updateWire(wire: Wire): unknown
    _onWireWithMetadata(wire: Wire): void
    _request(wire: Wire, index: number, hotswap: boolean): boolean
    _update(): void
    _verifyPieces(done: (error: Error | null) => void): void
    _markVerified(index: number): void
  }
}

declare module 'webtorrent/lib/wire' {
  import type { EventEmitter } from 'node:events'

  type Request = { readonly piece: number; readonly offset: number; readonly length: number }

  export interface Extension {
    onExtendedHandshake?(handshake: unknown): void
    onMessage?(message: Uint8Array): void
  }

  export class Wire extends EventEmitter {
    readonly type: string
    readonly destroyed: boolean
    readonly peerId: string | null
    readonly remoteAddress: string | undefined
    readonly remotePort: number | undefined
    readonly peerExtensions: { extended?: boolean; fast?: boolean }
    readonly peerExtendedMapping: Record<string, number>
    /** As the peer encoded it: any of bencode's types. */
    readonly peerExtendedHandshake: { v?: unknown }
    readonly extendedMapping: Record<number, string>
    readonly extendedHandshake: Record<string, unknown>
    readonly hasFast: boolean
    readonly amChoking: boolean
    readonly _finished: boolean
    readonly peerChoking: boolean
    readonly requests: readonly Request[]
    peerPieces: { buffer: Uint8Array; get(index: number): boolean; setAll?: unknown }
    readonly ut_metadata: {
      setMetadata(metadata: Uint8Array): Promise<boolean>
      _checkDone(): Promise<void> | void
      _infoHash: string | undefined
    }
    readonly lt_donthave: EventEmitter
    isSeeder: boolean
    readonly _readableState: { buffered: number }
    _buffer: Uint8Array[]
    _bufferSize: number
    _parserSize: number
    /** Payload bytes of blocks. */
    readonly downloaded: number
    readonly uploaded: number
    downloadSpeed(): number
    uploadSpeed(): number
    use(extension: { new (wire: Wire): Extension }): void
    extended(name: string, message: Uint8Array): void
    request(
      index: number,
      offset: number,
      length: number,
      done: (error: Error | null, block?: Uint8Array | null) => unknown,
    ): void
    piece(index: number, offset: number, block: Uint8Array): void
    cancel(index: number, offset: number, length: number): void
    reject(index: number, offset: number, length: number): void
    destroy(): void
    _write(data: Uint8Array, done: (error: Error | null) => void): void
    _processBuffer(): void
    _parse(size: number, parser: (bytes: Uint8Array) => void): void
    _onMessageLength(prefix: Uint8Array): void
    _onMessage(message: Uint8Array): void
    _onTimeout(): void
  }
}
