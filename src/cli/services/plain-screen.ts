import type { NodeStatus, Notice } from '../../roles/index.ts'
import { noticeLine } from '../render/node.ts'
import { printable } from '../render/printable.ts'
import { lossyLines } from './lossy-output.ts'
import type { NodeScreen } from './run-node.ts'

/** One line a thing that happens: for people, or JSON objects with an `event` for programs. */
export function plainScreen(json: boolean, write: (line: string) => void = lossyLines()): NodeScreen {
  return {
    ready: (status, socket) => write(json ? JSON.stringify(readyFacts(status, socket)) : readyLine(status, socket)),
    notice: (notice: Notice) => write(json ? JSON.stringify({ event: 'notice', ...notice }) : noticeLine(notice)),
  }
}

export function readyLine(status: NodeStatus, socket: string): string {
  const { endpoint, mainlineDht, torrentPort } = status
  const ports = [
    endpoint === null ? undefined : `${endpoint.host}:${endpoint.port}/udp`,
    mainlineDht === null ? undefined : `torrent DHT ${mainlineDht.port}/udp`,
    torrentPort === null ? undefined : `torrents ${torrentPort}/tcp`,
  ].filter((port) => port !== undefined)
  return printable(`${status.role} node ${status.id} is ready at ${ports.join(', ')}; socket ${socket}`)
}

function readyFacts(status: NodeStatus, socket: string): object {
  const { id, role, endpoint, mainlineDht, torrentPort, dataDirectory, pid, version } = status
  const ports = { overlay: endpoint?.port ?? null, mainlineDht: mainlineDht?.port ?? null, torrent: torrentPort }
  return { event: 'ready', id, role, endpoint, ports, socket, dataDirectory, pid, version }
}
