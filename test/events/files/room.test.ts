import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { assertRoomToOpen, ROOM_PREFIX } from '../../../src/events/files/room.fs.ts'

const SPARE_BYTES = 256 * 1024

describe('room for a database that is opened', () => {
  let root: string
  const { open } = promises
  const written: { name: string; bytes: number; isSynced: boolean; mode: number }[] = []
  /** What a write does after so many bytes. */
  let limit = Number.POSITIVE_INFINITY

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'p2pt-room-'))
    mkdirSync(join(root, 'log'))
    written.length = 0
    limit = Number.POSITIVE_INFINITY
    promises.open = async (...parameters) => {
      const file = await open(...parameters)
      const entry = { name: basename(String(parameters[0])), bytes: 0, isSynced: false, mode: (await file.stat()).mode & 0o777 }
      written.push(entry)
      const [write, datasync] = [file.write.bind(file), file.datasync.bind(file)]
      file.write = (async (buffer: Uint8Array, offset: number, length: number) => {
        if (entry.bytes >= limit) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
        // A system may write less than it was asked to.
        const { bytesWritten } = await write(buffer, offset, Math.min(length, 50_000))
        entry.bytes += bytesWritten
        return { bytesWritten, buffer }
      }) as typeof file.write
      file.datasync = async () => {
        await datasync()
        entry.isSynced = true
      }
      return file
    }
    syncBuiltinESMExports()
  })
  afterEach(() => {
    promises.open = open
    syncBuiltinESMExports()
    rmSync(root, { recursive: true })
  })
  const put = (name: string, bytes: number): void => writeFileSync(join(root, 'log', name), new Uint8Array(bytes))

  it('is as much as it writes anew at its opening, and some more; it is tried and given back', async () => {
    put('000007.log', 100_000)
    put('000009.log', 1_000)
    put('MANIFEST-000002', 30_000)
    put('000005.ldb', 500_000)
    put('CURRENT', 16)
    await assertRoomToOpen(join(root, 'log'))
    assert.deepEqual(written, [{ name: `room-${process.pid}.part`, bytes: SPARE_BYTES + 131_000, isSynced: true, mode: 0o600 }])
    assert.deepEqual(readdirSync(root), ['log'])
    assert.ok(written[0]?.name.startsWith(ROOM_PREFIX))
  })

  it('is missing where the disk says so, and nothing is left of the attempt', async () => {
    limit = 100_000
    await assert.rejects(assertRoomToOpen(join(root, 'log')), { code: 'ENOSPC' })
    assert.deepEqual([written[0]?.bytes, readdirSync(root)], [100_000, ['log']])
    await assert.rejects(assertRoomToOpen(join(root, 'absent')), { code: 'ENOENT' })
  })

  it('is not missing because a file went meanwhile', async () => {
    put('000007.log', 1_000)
    symlinkSync('nowhere', join(root, 'log', '000006.log'))
    await assertRoomToOpen(join(root, 'log'))
    assert.equal(written[0]?.bytes, SPARE_BYTES + 1_000)
  })
})
