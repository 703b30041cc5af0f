import { type ChildProcess, execFile, fork, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { promisify } from 'node:util'
import type { BenchContext } from './harness.ts'

// One download over loopback, seeder and leecher as processes of their own, from the dial to the last verified piece:
// our engine beside libtorrent (Debian's python3-libtorrent), in the same rounds, of the same file.

const MIB = 1024 * 1024
const PYTHONS = ['python3', '/usr/bin/python3']

export default async function download({ full, medians, note, report }: BenchContext): Promise<void> {
  const sizeBytes = (full ? 1024 : 256) * MIB
  const directory = await mkdtemp(join(tmpdir(), 'p2pt-bench-download-'))
  try {
    await writeRandom(join(directory, 'payload.bin'), sizeBytes)
    const python = await pythonWithLibtorrent()
    const ours = () => engineMegabytesPerSecond(directory, sizeBytes)
    const name = 'one seeder, one leecher, loopback'
    if (python === undefined) {
      note('libtorrent is not installed (python3-libtorrent): measured alone')
      const values = await medians({ ours })
      report({ name, value: values.ours, unit: 'MB/s' })
      return
    }
    const values = await medians({ ours, libtorrent: () => libtorrentMegabytesPerSecond(python, directory, sizeBytes) })
    report({ name, value: values.ours, unit: 'MB/s', against: { name: 'libtorrent', value: values.libtorrent } })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function engineMegabytesPerSecond(directory: string, sizeBytes: number): Promise<number> {
  const into = await mkdtemp(join(directory, 'ours-'))
  const seeder = engine('seed', directory)
  const leecher = engine('leech', into)
  try {
    const [{ port, torrentFile }] = (await once(seeder, 'message')) as [{ port: number; torrentFile: string }]
    leecher.send({ port, torrentFile })
    const [{ tookMs }] = (await once(leecher, 'message')) as [{ tookMs: number }]
    return sizeBytes / 1e6 / (tookMs / 1000)
  } finally {
    await Promise.all([ended(seeder), ended(leecher)])
    await rm(into, { recursive: true, force: true })
  }
}

const engine = (role: 'seed' | 'leech', directory: string): ChildProcess =>
  fork(join(import.meta.dirname, 'download-engine.ts'), [role, directory], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exit = once(child, 'exit')
  child.disconnect()
  await exit
}

async function libtorrentMegabytesPerSecond(python: string, directory: string, sizeBytes: number): Promise<number> {
  const into = await mkdtemp(join(directory, 'libtorrent-'))
  const child = spawn(python, [join(import.meta.dirname, 'download-libtorrent.py'), join(directory, 'payload.bin'), into], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString()
  })
  await once(child, 'close')
  await rm(into, { recursive: true, force: true })
  const tookMs = Number(output.trim())
  if (!(tookMs > 0)) throw new Error(`libtorrent did not finish: ${output}`)
  return sizeBytes / 1e6 / (tookMs / 1000)
}

async function pythonWithLibtorrent(): Promise<string | undefined> {
  for (const python of PYTHONS) {
    try {
      await promisify(execFile)(python, ['-c', 'import libtorrent'])
      return python
    } catch {
      // Not this one.
    }
  }
  return undefined
}

async function writeRandom(path: string, sizeBytes: number): Promise<void> {
  const stream = createWriteStream(path)
  for (let at = 0; at < sizeBytes; at += MIB) {
    if (!stream.write(randomBytes(Math.min(MIB, sizeBytes - at)))) await once(stream, 'drain')
  }
  stream.end()
  await finished(stream)
}
