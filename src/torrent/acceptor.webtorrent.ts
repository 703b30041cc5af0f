import type { Socket } from 'node:net'
import type WebTorrent from 'webtorrent'
import Peer from 'webtorrent/lib/peer.js'
import type { Torrent } from 'webtorrent/lib/torrent.js'
import type { Wire } from 'webtorrent/lib/wire'

// Takes webtorrent's place at the listening socket. Its own handler checks no bans, has no limit, and looks the torrent
// up asynchronously: what a peer sends right behind its handshake would run before any guard stands, and metadata from
// an inbound peer would be believed without its hash being checked.

/** Inbound connections, over all torrents; outbound ones have their own limit. */
const INBOUND_MAX = 256
/** From one address; several nodes may share it. */
const INBOUND_PER_HOST_MAX = 64

export type AcceptorHooks = {
  /** The torrent of this info hash if it takes peers now. */
  torrentOf(infoHash: string): Torrent | undefined
  /** Called before the first byte is read. */
  guard(wire: Wire): void
}

export class Acceptor {
  readonly #client: WebTorrent
  readonly #hooks: AcceptorHooks
  readonly #sockets = new Map<Socket, string>()

  constructor(client: WebTorrent, hooks: AcceptorHooks) {
    this.#client = client
    this.#hooks = hooks
    const { tcpServer, _onTCPConnectionBound: theirs } = client._connPool
    tcpServer.removeListener('connection', theirs)
    tcpServer.on('connection', (socket: Socket) => this.accept(socket))
  }

  close(): void {
    for (const socket of this.#sockets.keys()) socket.destroy()
  }

  /** @param socket of the TCP server, or a stream that is like one */
  accept(socket: Socket): void {
    socket.on('error', () => {})
    socket.setNoDelay(true)
    const host = socket.remoteAddress
    if (host === undefined || this.#client.destroyed || this.#isFull(host)) {
      socket.destroy()
      return
    }
    this.#sockets.set(socket, host)
    socket.once('close', () => this.#sockets.delete(socket))
    const peer = Peer.createTCPIncomingPeer(socket, this.#client.throttleGroups, 0)
    const { wire } = peer
    if (wire === null) return
    this.#hooks.guard(wire)
    wire.once('handshake', (infoHash: string, peerId: string) => {
      const torrent = this.#hooks.torrentOf(infoHash)
      if (torrent === undefined) {
        peer.destroy(new Error('no such torrent here'))
        return
      }
      peer.swarm = torrent
      torrent._addIncomingPeer(peer)
      peer.onHandshake(infoHash, peerId)
    })
  }

  #isFull(host: string): boolean {
    if (this.#sockets.size >= INBOUND_MAX) return true
    let sameHost = 0
    for (const other of this.#sockets.values()) if (other === host) sameHost++
    return sameHost >= INBOUND_PER_HOST_MAX
  }
}
