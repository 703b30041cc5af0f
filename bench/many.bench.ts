import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HonestNetwork } from '../test/attacks/network.ts'
import type { Bench } from './harness.ts'
import { manyFiles } from './many-files.ts'
import { manyTorrents } from './many-torrents.ts'

// A client with thousands of torrents, and one with a torrent of 50,000 files, as running processes of a small network on loopback.
// `--torrents N` says how many torrents; `--only torrents` or `--only files` runs a half.

const TORRENTS = { usual: 1_000, full: 5_000 }

const bench: Bench = async (context) => {
  const { full, only, torrents = full ? TORRENTS.full : TORRENTS.usual } = context
  const directory = await mkdtemp(join(tmpdir(), 'p2pt-bench-many-'))
  const network = await HonestNetwork.start({ bootstraps: 1, indexNodes: 2, clients: 2, clientFlags: ['--plain-peers'] })
  try {
    if (only !== 'files') await manyTorrents(context, network, directory, torrents)
    if (only !== 'torrents') await manyFiles(context, network, directory)
  } finally {
    await network.end()
    rmSync(directory, { recursive: true, force: true })
  }
}

export default bench
