import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { connectNode, type RemoteNode } from '../../src/control/index.ts'
import type { ClientService } from '../../src/roles/index.ts'
import type { ClusterNode } from './cluster.ts'

// What tests and benches ask of running clients, and of what they moved.

const ANSWER_MS_MAX = 60_000

export const remoteOf = (node: ClusterNode): Promise<RemoteNode> => connectNode(node.directory, { answerMsMax: ANSWER_MS_MAX })

export const clientOf = async (node: ClusterNode): Promise<ClientService> => (await remoteOf(node)).client as ClientService

/** As its log has it. */
export async function torrentFileOf(node: ClusterNode, infoHash: string): Promise<Uint8Array> {
  for await (const { event } of (await remoteOf(node)).node.events({})) {
    const said = event as { kind: string; infoHash?: string; torrentFile?: string }
    if (said.infoHash === infoHash && said.torrentFile !== undefined) return Buffer.from(said.torrentFile, 'base64')
  }
  throw new Error('its log has no torrent file')
}

export async function resultOf<R>(running: AsyncGenerator<unknown, R, void>): Promise<R> {
  for (;;) {
    const step = await running.next()
    if (step.done === true) return step.value
  }
}

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
