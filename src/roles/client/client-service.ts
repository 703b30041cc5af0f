import type { InfoHash } from '../../events/index.ts'
import type { Overlay } from '../../network/index.ts'
import type { TorrentEngine, TorrentPeer } from '../../torrent/index.ts'
import type { ClientService, DhtStatus, NodeService, TorrentPeerRow } from '../services.ts'
import { publishMany } from './bulk-publish.ts'
import { publishPath } from './publish-path.ts'
import type { Publisher } from './publisher.ts'
import { type SearchOptions, searchNetwork } from './search.ts'
import type { Torrents } from './torrents.ts'

export type ClientParts = {
  node: NodeService
  engine: TorrentEngine
  overlay: Overlay
  torrents: Torrents
  publisher: Publisher
  dataDirectory: string
  search: SearchOptions
  /** Score and standing of a peer now. */
  scoreOf(peer: TorrentPeer['id']): Pick<TorrentPeerRow, 'score' | 'standing'>
}

/** What a running client can be asked besides what any node can. */
export function createClientService(parts: ClientParts): ClientService {
  const { engine, torrents, publisher, node } = parts
  return {
    add: (request) => torrents.add(request),
    follow: (infoHash) => torrents.follow(infoHash),
    publish: (request) => publishPath(request, parts),
    publishMany: (request) => publishMany(request, parts),
    search: (request) => searchNetwork(request, parts.search),
    async clientStatus() {
      return { node: await node.status(), torrents: torrents.rows(), limits: torrents.limits(), refused: publisher.refusals() }
    },
    async torrentPeers({ infoHash }) {
      const rows = infoHash === undefined ? torrents.rows() : [torrents.row(infoHash)]
      return rows.flatMap((row) => {
        const peers = engine.status(row.infoHash as InfoHash)?.peers ?? []
        return peers.map((peer) => peerRow(row.infoHash, peer, parts.scoreOf(peer.id)))
      })
    },
    async dht(): Promise<DhtStatus> {
      const status = await node.status()
      return {
        hyperdht: { endpoint: status.endpoint, bootstrap: status.bootstrap, links: status.links },
        mainline: { port: engine.dht.port, nodes: engine.dht.nodeCount },
      }
    },
    pause: (infoHash) => torrents.pause(infoHash),
    resume: (infoHash) => torrents.resume(infoHash),
    recheck: (infoHash) => torrents.recheck(infoHash),
    move: (infoHash, { directory }) => torrents.move(infoHash, directory),
    rename: (infoHash, { file, name }) => torrents.rename(infoHash, file, name),
    async torrentFile(infoHash) {
      return torrents.torrentFile(infoHash)
    },
    async sources(infoHash) {
      return torrents.sources(infoHash)
    },
    changeSources: (infoHash, request) => torrents.changeSources(infoHash, request),
    async limits() {
      return torrents.limits()
    },
    configure: (change) => torrents.configure(change),
    limit: (infoHash, change) => torrents.limit(infoHash, change),
    async files(infoHash) {
      return torrents.files(infoHash)
    },
    select: (infoHash, request) => torrents.select(infoHash, request),
    async remove(infoHash, { deleteFiles }) {
      // First what others are told: after a crash between the two there is no offer without a torrent behind it.
      await publisher.withdraw(torrents.row(infoHash).infoHash as InfoHash)
      await torrents.remove(infoHash, deleteFiles)
    },
    async corrupt(infoHash, percent) {
      return torrents.corrupt(infoHash, percent)
    },
  }
}

function peerRow(infoHash: string, peer: TorrentPeer, score: Pick<TorrentPeerRow, 'score' | 'standing'>): TorrentPeerRow {
  const { id, host, port, client, completion, downloadBytesPerSecond, uploadBytesPerSecond, choked, onParole } = peer
  return {
    ...{ infoHash, peer: id, host, port, client, completion, downloadBytesPerSecond, uploadBytesPerSecond },
    ...{ choked, onParole, score: score.score, standing: score.standing },
  }
}
