import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Job, type Program, ProgramProcess, until } from '../program.ts'

const ENCRYPTION = { 'as it comes': 0, 'requires encryption': 1, 'refuses encryption': 2 }
const START_MS_MAX = 30_000
const DHT_MS_MAX = 60_000

/** qbittorrent-nox, asked over its web interface. */
export const qbittorrent: Program = {
  name: 'qBittorrent',
  missing: () => (spawnSync('qbittorrent-nox', ['--version']).error ? 'this machine has no qbittorrent-nox' : undefined),
  cannot: () => undefined,
  async start(job) {
    const webPort = job.at.port + 1
    await mkdir(join(job.home, 'qBittorrent/config'), { recursive: true })
    await writeFile(join(job.home, 'qBittorrent/config/qBittorrent.conf'), settings(job, webPort))
    const words = [`--profile=${job.home}`, `--save-path=${job.files}`, '--skip-dialog=true', job.torrentFile]
    const process = new ProgramProcess(job.prefix, ['qbittorrent-nox', ...words], job.home)
    return { process, ready: () => ready(job, (path, form) => process.web(webPort, path, form)) }
  },
}

const settings = ({ at, encryption, dht }: Job, webPort: number): string =>
  [
    '[LegalNotice]',
    'Accepted=true',
    '[Preferences]',
    'WebUI\\LocalHostAuth=false',
    'WebUI\\Address=127.0.0.1',
    `WebUI\\Port=${webPort}`,
    '[Network]',
    'PortForwardingEnabled=false',
    '[BitTorrent]',
    `Session\\Port=${at.port}`,
    `Session\\Encryption=${ENCRYPTION[encryption]}`,
    // It has no setting for the entry points of a DHT: it takes those that the torrent file names.
    `Session\\DHTEnabled=${dht !== undefined}`,
    'Session\\LSDEnabled=false',
    '',
  ].join('\n')

async function ready(
  { direction, peer, dht }: Job,
  web: (path: string, form?: Readonly<Record<string, string>>) => Promise<string>,
): Promise<void> {
  const torrent = async (): Promise<{ hash: string; state: string } | undefined> => {
    try {
      return JSON.parse(await web('/api/v2/torrents/info'))[0]
    } catch {
      // It does not listen yet.
      return undefined
    }
  }
  const isUp = direction === 'seeds' ? /UP$|^uploading$/ : /DL$|^downloading$/
  await until('qBittorrent has its torrent', async () => isUp.test((await torrent())?.state ?? ''), START_MS_MAX)
  const hashes = (await torrent())?.hash ?? ''
  if (peer !== undefined) await web('/api/v2/torrents/addPeers', { hashes, peers: `${peer.host}:${peer.port}` })
  if (dht === undefined) return
  // It announced when its DHT had no node yet, and would again a quarter of an hour later, or when the torrent is resumed.
  const nodes = async (): Promise<number> => JSON.parse(await web('/api/v2/transfer/info')).dht_nodes
  await until('qBittorrent has a node of the DHT', async () => (await nodes()) > 0, DHT_MS_MAX)
  for (const what of ['pause', 'resume']) await web(`/api/v2/torrents/${what}`, { hashes })
}
