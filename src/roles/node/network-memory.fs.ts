import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isDialable, type NodeId } from '../../events/index.ts'
import type { Endpoint } from '../../network/index.ts'

/** What a node remembers of the network, to find the network again when every bootstrap is gone. A hint, not state: losing it costs time only. */
export type NetworkMemory = {
  dhtNodes: Endpoint[]
  mainlineId: string | null
  mainlineNodes: Endpoint[]
  /** Members that it was linked with by its own choice. */
  anchors: NodeId[]
}

const EMPTY: NetworkMemory = { dhtNodes: [], mainlineId: null, mainlineNodes: [], anchors: [] }
const ENTRIES_MAX = 256
export const ANCHORS_MAX = 4

/** What was remembered; nothing where there is no such file or it makes no sense. */
export function readNetworkMemory(path: string): NetworkMemory {
  try {
    const read = JSON.parse(readFileSync(path, 'utf8')) as Partial<Record<keyof NetworkMemory, unknown>>
    const id = typeof read.mainlineId === 'string' && /^[0-9a-f]{40}$/.test(read.mainlineId) ? read.mainlineId : null
    const anchors = (Array.isArray(read.anchors) ? read.anchors : []).filter(isNodeId).slice(0, ANCHORS_MAX)
    return { dhtNodes: endpoints(read.dhtNodes), mainlineId: id, mainlineNodes: endpoints(read.mainlineNodes), anchors }
  } catch {
    return EMPTY
  }
}

const isNodeId = (value: unknown): value is NodeId => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)

/** Replaces the file; a failure is no matter. */
export function writeNetworkMemory(path: string, memory: NetworkMemory): void {
  try {
    writeFileSync(`${path}.new`, JSON.stringify(memory), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  } catch {
    // A full disk is told by the log, whose writes matter.
  }
}

function endpoints(value: unknown): Endpoint[] {
  if (!Array.isArray(value)) return []
  return value
    .filter((entry): entry is Endpoint => isDialable(entry))
    .slice(0, ENTRIES_MAX)
    .map(({ host, port }) => ({ host, port }))
}
