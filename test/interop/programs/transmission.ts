import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bencode } from '../../torrent/bencode-writer.ts'
import { type Endpoint, type Program, ProgramProcess } from '../program.ts'

/**
 * As it keeps them of earlier runs: it announces only where it knows nine nodes, four of which have answered it. To one that knows
 * the entry point alone that takes minutes.
 */
const knownNodes = (nodes: readonly Endpoint[]): Uint8Array =>
  bencode({ id: randomBytes(20), nodes: Buffer.concat(nodes.map(({ host, port }) => compact(host, port))) })

const compact = (host: string, port: number): Buffer => Buffer.from([...host.split('.').map(Number), port >> 8, port & 255])

/** transmission-cli, on the library that its daemon and its windows have too. */
export const transmission: Program = {
  name: 'Transmission',
  missing: () => (spawnSync('transmission-cli', ['--version']).error ? 'this machine has no transmission-cli' : undefined),
  cannot(_, encryption, way) {
    if (encryption === 'refuses encryption') return 'the least it knows, tolerated, takes encrypted connections'
    if (way === 'named to it') return 'it takes no peer by name, neither by its commands nor in a magnet link'
    return undefined
  },
  async start({ direction, encryption, prefix, at, home, files, torrentFile, dht }) {
    const settings = {
      ...{ 'dht-enabled': dht !== undefined, 'lpd-enabled': false, 'port-forwarding-enabled': false },
      // It dials by uTP, which we do not speak, and takes minutes to try TCP.
      'utp-enabled': false,
    }
    await writeFile(join(home, 'settings.json'), JSON.stringify(settings))
    if (dht !== undefined) await writeFile(join(home, 'dht.dat'), knownNodes(dht))
    const words = ['transmission-cli', '-g', home, '-w', files, '-p', String(at.port), '-M']
    if (encryption === 'requires encryption') words.push('-er')
    if (direction === 'seeds') words.push('-v')
    const process = new ProgramProcess(prefix, [...words, torrentFile], home)
    return { process, ready: async () => (direction === 'seeds' ? process.says(/Seeding/) : undefined) }
  },
}
