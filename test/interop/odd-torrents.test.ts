import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkTorrentFile, type Metainfo } from '../../src/torrent/metainfo.ts'
import { sha1 } from '../../src/torrent/sha1.system.ts'
import { type Odd, REASONS, type Reason } from '../torrent/odd/odd-torrent.ts'
import { ODD_TORRENTS } from '../torrent/odd/odd-torrents.ts'

// libtorrent itself over the same files, where it is installed: what it loads is taken, or refused for a reason of safety,
// and is the same torrent then.

const PYTHON = ['python3', '/usr/bin/python3'].find((python) => spawnSync(python, ['-c', 'import libtorrent']).status === 0)
const WHY = PYTHON === undefined ? ' (skipped: this machine has no python3-libtorrent)' : ''

/** Reasons that protect somebody; a torrent that is refused for another must be one that libtorrent does not load either. */
const OF_SAFETY: readonly Reason[] = [
  ...(['same-key', 'leaves-its-folder', 'absolute-path', 'nul', 'path-length', 'same-paths', 'piece-length'] as const),
  ...(['piece-count', 'file-count', 'file-size', 'v2-only'] as const),
]

type Loaded = Pick<Metainfo, 'infoHash' | 'pieceLengthBytes' | 'pieceCount' | 'sizeBytes' | 'isPrivate'> & {
  refused?: string
  files: [string, number][]
}

describe(`odd torrents and libtorrent${WHY}`, function () {
  this.timeout(60_000)
  const loaded: Loaded[] = []

  before(async function () {
    if (PYTHON === undefined) this.skip()
    const directory = await mkdtemp(join(tmpdir(), 'p2pt-odd-'))
    try {
      const names = ODD_TORRENTS.map((_, at) => `${at}`.padStart(4, '0'))
      await Promise.all(ODD_TORRENTS.map(({ file }, at) => writeFile(join(directory, names[at] ?? ''), file)))
      const words = [join(import.meta.dirname, 'load-torrents.py'), directory]
      const { stdout, stderr, status } = spawnSync(PYTHON, words, { encoding: 'utf8', maxBuffer: 2 ** 28 })
      assert.equal(status, 0, stderr)
      const [, ...lines] = stdout.trimEnd().split('\n')
      loaded.push(...lines.map((line) => JSON.parse(line) as Loaded))
    } finally {
      await rm(directory, { recursive: true })
    }
    assert.equal(loaded.length, ODD_TORRENTS.length)
    if (process.env.P2PT_ODD_FIGURES !== undefined) console.log(figures(loaded))
  })

  it('agree on what can be loaded, but for what is refused for safety', () => {
    const wrong = ODD_TORRENTS.filter(({ expect }, at) => {
      const isLoaded = loaded[at]?.refused === undefined
      return isLoaded && typeof expect === 'string' && !OF_SAFETY.includes(expect)
    })
    assert.deepEqual(
      wrong.map(({ name }) => name),
      [],
    )
  })

  for (const [at, odd] of ODD_TORRENTS.entries()) {
    if (typeof odd.expect === 'string') continue
    it(`are the same torrent to both: ${odd.name}`, function () {
      const theirs = loaded[at]
      assert.ok(theirs)
      if (theirs.refused === undefined) compare(odd, checkTorrentFile(odd.file, sha1), theirs)
      else this.skip()
    })
  }
})

function compare({ differs }: Odd, ours: Metainfo, theirs: Loaded): void {
  const { infoHash, pieceLengthBytes, pieceCount, sizeBytes, isPrivate } = ours
  const { files, refused: _, ...same } = theirs
  assert.deepEqual({ infoHash, pieceLengthBytes, pieceCount, sizeBytes, isPrivate }, same)
  const kept = ours.files.filter(({ padding }) => !padding)
  const standing = kept.map(({ path, lengthBytes }) => [path.join('/'), lengthBytes])
  if (differs === undefined) assert.deepEqual(standing, files)
  else {
    // What is documented as another name is one, and nothing else differs.
    assert.notDeepEqual(standing, files)
    assert.deepEqual(
      kept.map(({ lengthBytes }) => lengthBytes),
      files.map(([, lengthBytes]) => lengthBytes),
    )
  }
}

/** For a person who runs this with P2PT_ODD_FIGURES set. */
function figures(loaded: readonly Loaded[]): object {
  const theirs = ODD_TORRENTS.filter((_, at) => loaded[at]?.refused === undefined)
  const refused = theirs.map(({ expect }) => expect).filter((expect) => typeof expect === 'string')
  const byReason = Object.keys(REASONS).map((reason) => [reason, refused.filter((each) => each === reason).length])
  return {
    torrents: ODD_TORRENTS.length,
    loadedByLibtorrent: theirs.length,
    ofTheseTaken: theirs.length - refused.length,
    ofTheseRefused: Object.fromEntries(byReason.filter(([, count]) => count !== 0)),
    takenByUsAlone: ODD_TORRENTS.filter(
      ({ expect }, at) => loaded[at]?.refused !== undefined && typeof expect !== 'string',
    ).map(({ name }) => name),
  }
}
