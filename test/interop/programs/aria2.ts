import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { type Program, ProgramProcess } from '../program.ts'

const BY_ITSELF = [
  '--no-conf',
  '--enable-dht6=false',
  '--bt-enable-lpd=false',
  '--file-allocation=none',
  '--summary-interval=0',
]

export const aria2: Program = {
  name: 'aria2',
  missing: () => (spawnSync('aria2c', ['--version']).status === 0 ? undefined : 'this machine has no aria2'),
  cannot(_, encryption, way) {
    if (encryption === 'refuses encryption') return 'it has no setting that refuses encryption'
    if (way === 'named to it') return 'it takes no peer by name: it has trackers, DHT, peer exchange and local discovery'
    return undefined
  },
  async start({ direction, encryption, prefix, at, home, files, torrentFile, dht }) {
    const words = ['aria2c', ...BY_ITSELF, `--dir=${files}`, `--listen-port=${at.port}`]
    const [entry] = dht ?? []
    if (entry === undefined) words.push('--enable-dht=false')
    else {
      words.push('--enable-dht=true', `--dht-entry-point=${entry.host}:${entry.port}`, `--dht-listen-port=${at.port}`)
      words.push(`--dht-file-path=${join(home, 'dht.dat')}`)
    }
    if (encryption === 'requires encryption') words.push('--bt-force-encryption=true')
    if (direction === 'seeds') words.push('--seed-ratio=0', '--check-integrity=true')
    return { process: new ProgramProcess(prefix, [...words, torrentFile], home), ready: async () => {} }
  },
}
