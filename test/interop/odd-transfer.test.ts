import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { checkTorrentFile, type Metainfo } from '../../src/torrent/metainfo.ts'
import { sha1 } from '../../src/torrent/sha1.system.ts'
import { dial, digestOf, eventually, Lab, type Node, seed, sha256 } from '../torrent/engine-fixture.ts'
import { data, hashes, multi, type Pairs, PIECE, single, torrent } from '../torrent/odd/odd-torrent.ts'

// Odd torrents to and from libtorrent itself, where it is installed: odd pieces on the wire, and every file in the place where
// the other looks for it.

const PYTHON = ['python3', '/usr/bin/python3'].find((python) => spawnSync(python, ['-c', 'import libtorrent']).status === 0)
const WHY = PYTHON === undefined ? ' (skipped: this machine has no python3-libtorrent)' : ''

type Made = { file: Uint8Array; metainfo: Metainfo; bytes: Uint8Array }

const made = (info: Pairs, bytes: Uint8Array): Made => {
  const file = torrent(info)
  return { file, metainfo: checkTorrentFile(file, sha1), bytes }
}

function ofPieces(pieceLengthBytes: number): Made {
  const bytes = data(Math.min(300 * pieceLengthBytes, 2 * pieceLengthBytes + 100_001), pieceLengthBytes)
  const pieces = hashes(bytes, pieceLengthBytes)
  const name = `${pieceLengthBytes}.bin`
  return made(single({ length: bytes.length, name, 'piece length': pieceLengthBytes, pieces }), bytes)
}

function ofNames(): Made {
  const padding = PIECE - 9_000
  const bytes = Buffer.concat([data(9_000, 'a'), Buffer.alloc(padding), data(20_000, 'b'), data(9_001, 'c'), data(7, 'd')])
  const files = [
    { length: 9_000, path: ['a.mp4'] },
    { attr: 'p', length: padding, path: ['.pad', `${padding}`] },
    { length: 20_000, path: ['a.mp4'] },
    { length: 9_001, path: ['', 'x/y'] },
    { length: 7, path: [`${'n'.repeat(300)}.txt`] },
  ]
  return made(multi(files, { name: 'haiku/r1', pieces: hashes(bytes, PIECE) }), bytes)
}

function outOfOrder(): Made {
  const bytes = data(50_000, 'unsorted')
  const info = single({ length: 50_000, name: 'unsorted.bin', pieces: hashes(bytes, PIECE) })
  return made(new Map([...info].reverse()), bytes)
}

const ODD = [1, 1_000, 8_192, 16_385, 25_344, 4_192_256].map(ofPieces)
const TORRENTS: readonly Made[] = [...ODD, ofNames(), outOfOrder()]

function* filesOf({ metainfo, bytes }: Made): Generator<[path: string, bytes: Uint8Array]> {
  let at = 0
  for (const { path, lengthBytes, padding } of metainfo.files) {
    if (!padding) yield [path.join('/'), bytes.subarray(at, at + lengthBytes)]
    at += lengthBytes
  }
}

async function putIn(directory: string): Promise<void> {
  for (const each of TORRENTS) {
    for (const [path, bytes] of filesOf(each)) {
      await mkdir(dirname(join(directory, path)), { recursive: true })
      await writeFile(join(directory, path), bytes)
    }
  }
}

async function stand(directory: string): Promise<void> {
  for (const each of TORRENTS) {
    for (const [path, bytes] of filesOf(each)) assert.equal(await digestOf(join(directory, path)), sha256(bytes), path)
  }
}

describe(`odd torrents between p2pt and libtorrent${WHY}`, function () {
  this.timeout(60_000)
  let lab: Lab
  before(function () {
    if (PYTHON === undefined) this.skip()
  })
  beforeEach(() => {
    lab = new Lab('p2pt')
  })
  afterEach(() => lab[Symbol.asyncDispose]())

  /** A libtorrent with all torrents in this folder, and what it says. */
  async function libtorrent(directory: string, node: Node) {
    assert.ok(PYTHON)
    const torrents = await lab.directory('torrents')
    const words: string[] = []
    for (const { file, metainfo } of TORRENTS) {
      const path = join(torrents, metainfo.infoHash)
      await writeFile(path, file)
      words.push(path, directory)
    }
    const script = join(import.meta.dirname, 'odd-peer.py')
    const child = spawn(PYTHON, [script, `${node.engine.port}`, ...words], { stdio: ['pipe', 'pipe', 'inherit'] })
    const closed = once(child, 'close')
    lab.defer(() => {
      child.kill('SIGKILL')
      return closed
    })
    const complete = new Set<string>()
    const lines = createInterface(child.stdout)
    const [port] = (await once(lines, 'line')) as [string]
    lines.on('line', (line) => complete.add(line))
    return { peer: { ...node, engine: { ...node.engine, port: Number(port) } } as Node, complete }
  }

  it('are downloaded from it', async () => {
    const theirs = await lab.directory('theirs')
    await putIn(theirs)
    const node = await lab.node('node')
    const { peer, complete } = await libtorrent(theirs, node)
    await eventually(() => complete.size === TORRENTS.length, 30_000)
    for (const { file, metainfo } of TORRENTS) {
      await node.engine.add({ kind: 'torrent-file', bytes: file }, { directory: node.directory })
      await dial(node, metainfo.infoHash, [peer])
    }
    await node.until((said) => said.completed.length === TORRENTS.length, 30_000)
    await stand(node.directory)
  })

  it('are downloaded by it', async () => {
    const node = await lab.node('node')
    await putIn(node.directory)
    for (const { metainfo } of TORRENTS) await seed(node, metainfo, node.directory)
    const theirs = await lab.directory('theirs')
    const { complete } = await libtorrent(theirs, node)
    await eventually(() => complete.size === TORRENTS.length, 40_000)
    await stand(theirs)
  })
})
