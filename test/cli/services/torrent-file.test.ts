import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readTorrentFile } from '../../../src/cli/services/torrent-file.ts'
import { ServiceError } from '../../../src/roles/index.ts'
import { TORRENT_FILE_BYTES_MAX } from '../../../src/torrent/metainfo.ts'

describe('a torrent file that a person names', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'p2pt-file-'))
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  const refused = (sentence: RegExp) => (error: unknown) => {
    assert.ok(error instanceof ServiceError, String(error))
    assert.equal(error.code, 'usage')
    assert.match(error.message, sentence)
    return true
  }

  it('is read up to the longest there is, and one byte more is refused', async () => {
    const path = join(directory, 'a.torrent')
    const bytes = Buffer.alloc(TORRENT_FILE_BYTES_MAX, 7)
    await writeFile(path, bytes)
    assert.equal(await readTorrentFile(path), bytes.toString('base64'))
    await writeFile(path, Buffer.alloc(TORRENT_FILE_BYTES_MAX + 1))
    await assert.rejects(readTorrentFile(path), refused(/not a torrent file: it is longer than 5\.5 MiB/))
    await writeFile(path, '')
    assert.equal(await readTorrentFile(path), '')
  })

  it('may be a pipe, and has an end even where the device has none', async () => {
    const pipe = join(directory, 'pipe')
    execFileSync('mkfifo', [pipe])
    const [read] = await Promise.all([readTorrentFile(pipe), writeFile(pipe, 'd4:infode')])
    assert.equal(Buffer.from(read, 'base64').toString(), 'd4:infode')
    await assert.rejects(readTorrentFile('/dev/zero'), refused(/longer than/))
    await assert.rejects(readTorrentFile(directory), refused(/cannot read/))
    await assert.rejects(readTorrentFile(join(directory, 'absent')), refused(/cannot read/))
  })
})
