import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { constants, writeFileSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import {
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { NameOnDisk } from '../../src/events/index.ts'
import { encode } from '../../src/torrent/bencode.ts'
import { TorrentError, type TorrentErrorCode } from '../../src/torrent/engine.ts'
import { looksOf, stampOf } from '../../src/torrent/file-stamp.ts'
import { checkInfo } from '../../src/torrent/metainfo.ts'
import { changedNames, placed } from '../../src/torrent/placement.ts'
import { type Disk, Relocation, type Standing, systemDisk, tidy } from '../../src/torrent/relocation.fs.ts'
import { sha1 } from '../../src/torrent/sha1.system.ts'

const SIZES = { 'one.bin': 1_500_000, 'sub/two.bin': 70_000, 'sub/empty': 0, 'never-written': 100 }
type Kind = 'links' | 'copies' | 'no links'
const failing = (code: string): Error => Object.assign(new Error(code), { code })

/** A disk that does only so many of the things that change something, as of a process that is killed then. */
function mortal(steps: number, kind: Kind): { disk: Disk; isDead(): boolean } {
  let left = steps
  let dead = false
  const changing = new Set(['link', 'mkdir', 'rename', 'rmdir', 'unlink', 'open'])
  const mortalHandle = (handle: FileHandle) =>
    new Proxy(handle, {
      get(_, name) {
        const operation = handle[name as 'write'] as unknown as ((...all: unknown[]) => Promise<unknown>) | undefined
        if (operation === undefined) return undefined
        return async (...parameters: unknown[]) => {
          if (['write', 'truncate', 'utimes', 'sync'].includes(String(name)) && left-- <= 0) dead = true
          // The system closes what the dead had open.
          if (dead && name !== 'close') throw new Error('killed')
          return operation.apply(handle, parameters)
        }
      },
    })
  const disk = Object.fromEntries(
    Object.entries(systemDisk).map(([name, operation]) => [
      name,
      async (...parameters: unknown[]) => {
        if (changing.has(name) && left-- <= 0) dead = true
        // What is dead does nothing more, not even to clean up.
        if (dead) throw new Error('killed')
        if (name === 'link' && kind !== 'links') throw failing(kind === 'copies' ? 'EXDEV' : 'EPERM')
        const result = await (operation as (...all: unknown[]) => unknown)(...parameters)
        return name === 'open' ? mortalHandle(result as FileHandle) : result
      },
    ]),
  ) as unknown as Disk
  return { disk, isDead: () => dead }
}

const looks = (stamps: ReadonlyMap<number, string>) => new Map([...stamps].map(([file, stamp]) => [file, looksOf(stamp)]))

describe('files of a torrent that are moved', () => {
  let root: string
  let from: Standing
  let bytes: Map<string, Uint8Array>
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'p2pt-move-'))
    const files = Object.entries(SIZES).map(([path, length]) => ({ length, path: path.split('/') }))
    const info = { name: 'album', files, 'piece length': 65_536, pieces: new Uint8Array(20 * Math.ceil(1_570_100 / 65_536)) }
    from = { directory: join(root, 'old'), metainfo: checkInfo(encode(info), sha1) }
    bytes = new Map()
    for (const [path, size] of Object.entries(SIZES)) {
      if (path === 'never-written') continue
      const content = randomBytes(size)
      bytes.set(path, content)
      const standing = join(from.directory, 'album', path)
      await mkdir(dirname(standing), { recursive: true })
      await writeFile(standing, content)
      await utimes(standing, 1_000_000.25, 1_600_000_000.5)
    }
  })
  afterEach(() => rm(root, { recursive: true, force: true }))

  const to = (directory = join(root, 'new'), ...names: NameOnDisk[]): Standing => ({
    directory,
    metainfo: placed(from.metainfo, changedNames(new Map(), names)),
  })
  const stampsOf = async ({ directory, metainfo }: Standing) => {
    const stamps = new Map<number, string>()
    for (const [file, { path }] of metainfo.files.entries()) {
      const found = await stat(join(directory, ...path), { bigint: true }).catch(() => undefined)
      if (found !== undefined && found.size > 0n) stamps.set(file, stampOf(found))
    }
    return stamps
  }
  const check = async (target: Standing, options: Partial<Parameters<Relocation['check']>[0]> = {}, disk?: Disk) =>
    new Relocation(from, target, disk).check({
      ...{ stamps: await stampsOf(from), isNeeded: (file: number) => file < 2, checkFolder: async () => {} },
      ...options,
    })
  const refused = (work: Promise<unknown>, code: TorrentErrorCode, text: RegExp) =>
    assert.rejects(work, (error: unknown) => {
      assert.ok(error instanceof TorrentError, String(error))
      assert.equal(error.code, code)
      assert.match(error.message, text)
      return true
    })
  /** Everything below a folder. */
  const below = async (directory: string): Promise<string[]> =>
    (await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []))
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
      .sort()
  const holdsAll = async ({ directory, metainfo }: Standing): Promise<boolean> => {
    for (const [file, { path, ownPath = path }] of metainfo.files.entries()) {
      const content = bytes.get(ownPath.slice(1).join('/'))
      if (content === undefined) continue
      const found = await readFile(join(directory, ...path)).catch(() => undefined)
      if (found === undefined || Buffer.compare(found, content) !== 0) return false
      assert.ok(file < metainfo.files.length)
    }
    return true
  }
  const NAMES: NameOnDisk[] = [
    { file: null, name: 'Album of mine' },
    { file: 1, name: 'zwei.bin' },
  ]

  for (const kind of ['links', 'copies', 'no links'] as const) {
    it(`are whole in the place that the log names, whenever the process dies, and in it alone after the next start: ${kind}`, async function () {
      this.timeout(30_000)
      let deaths = 0
      for (let steps = 0; ; steps++) {
        const target = to(join(root, 'new', `${steps}`), ...NAMES)
        const { disk, isDead } = mortal(steps, kind)
        let log: 'old' | 'begun' | 'moved' | 'tidied' = 'old'
        try {
          const move = new Relocation(from, target, disk)
          await move.check({ stamps: await stampsOf(from), isNeeded: () => false, checkFolder: async () => {} })
          log = 'begun'
          await move.stage(new Map(), { signal: new AbortController().signal })
          log = 'moved'
          await tidy(target, from, true, disk)
          log = 'tidied'
        } catch (error) {
          assert.match(String(error), /killed/)
          deaths++
        }
        assert.equal(isDead(), log !== 'tidied')
        // Every file of it is whole in one of the places; without links, after the log has it.
        const isMoved = log === 'moved' || log === 'tidied'
        const [own, other] = isMoved ? [target, from] : [from, target]
        if (kind !== 'no links' || !isMoved) assert.ok(await holdsAll(own), `${steps}: ${log}`)
        if (log !== 'old') await tidy(own, other, isMoved)
        assert.ok(await holdsAll(own), `${steps}: ${log}, after the next start`)
        assert.deepEqual(await below(other.directory), [], `${steps}: ${log}`)
        if (log === 'tidied') break
        if (isMoved) from = target
      }
      assert.ok(deaths > 8, `${deaths}`)
    })
  }

  it('are the same files on one file system, and copies of the same time on another, which are told', async () => {
    const inodes = async (standing: Standing) => (await stat(join(standing.directory, 'album', 'one.bin'))).ino
    const before = await inodes(from)
    const near = to(join(root, 'near'))
    const stamps = await stampsOf(from)
    const progress: [number, number][] = []
    const signal = new AbortController().signal
    const move = new Relocation(from, near)
    await move.check({ stamps, isNeeded: () => true, checkFolder: async () => {} }).catch(() => {})
    assert.deepEqual(await move.stage(stamps, { signal }), [])
    await tidy(near, from, true)
    assert.equal(await inodes(near), before)
    assert.deepEqual(looks(await stampsOf(near)), looks(stamps))

    from = near
    const far = to(join(root, 'far'))
    const { disk } = mortal(Number.POSITIVE_INFINITY, 'copies')
    const copy = new Relocation(from, far, disk)
    await copy.check({ stamps, isNeeded: (file) => file < 2, checkFolder: async () => {} })
    const fresh = await copy.stage(stamps, { signal, onProgress: (...step) => progress.push(step) })
    assert.deepEqual(new Map(fresh.map(({ file, stamp }) => [file, stamp])), await stampsOf(far))
    assert.deepEqual(progress.at(-1), [1_570_000, 1_570_000])
    assert.ok(progress.length > 3)
    const copied = await stat(join(far.directory, 'album', 'one.bin'))
    assert.equal(copied.mtimeMs, 1_600_000_000_500)
    assert.equal(copied.mode & 0o777, (await stat(join(from.directory, 'album', 'one.bin'))).mode & 0o777)
    await tidy(far, from, true)
    assert.ok(await holdsAll(far))
    assert.deepEqual(await readdir(from.directory), [])
  })

  it('keep the holes of a download when they are copied', async () => {
    const path = join(from.directory, 'album', 'one.bin')
    await truncate(path, 0)
    await truncate(path, 40_000_000)
    const target = to()
    const { disk } = mortal(Number.POSITIVE_INFINITY, 'copies')
    const move = new Relocation(from, target, disk)
    await move.stage(new Map(), { signal: new AbortController().signal })
    const { size, blocks } = await stat(join(target.directory, 'album', 'one.bin'))
    assert.equal(size, 40_000_000)
    assert.ok(blocks * 512 < 1_000_000, `${blocks}`)
  })

  it('stay where they are after an abort in the middle of a copy, and nothing is left of it', async () => {
    const target = to()
    const { disk } = mortal(Number.POSITIVE_INFINITY, 'copies')
    const stop = new AbortController()
    const move = new Relocation(from, target, disk)
    const staging = move.stage(new Map(), { signal: stop.signal, onProgress: () => stop.abort(new Error('enough')) })
    await assert.rejects(staging, /enough/)
    assert.notDeepEqual(await below(target.directory), [])
    await tidy(from, target, false)
    assert.deepEqual(await below(target.directory), [])
    assert.ok(await holdsAll(from))
  })

  it('are not moved over anything that stands there, and what a person put there meanwhile stays', async () => {
    const target = to()
    const standing = join(target.directory, 'album', 'sub', 'two.bin')
    await mkdir(dirname(standing), { recursive: true })
    await writeFile(standing, 'mine')
    await refused(check(target), 'FILE_IN_THE_WAY', /two\.bin stands there already/)
    const signal = new AbortController().signal
    await refused(new Relocation(from, target).stage(new Map(), { signal }), 'FILE_IN_THE_WAY', /two\.bin/)
    const { disk } = mortal(Number.POSITIVE_INFINITY, 'copies')
    await refused(new Relocation(from, target, disk).stage(new Map(), { signal }), 'FILE_IN_THE_WAY', /two\.bin|one\.bin/)
    await tidy(from, target, false)
    assert.deepEqual(await below(target.directory), ['album/sub/two.bin'])
    assert.equal(await readFile(standing, 'utf8'), 'mine')
    assert.ok(await holdsAll(from))
  })

  it('are not put where a file that is still to come is in the way', async () => {
    const target = to()
    await mkdir(join(target.directory, 'album'), { recursive: true })
    await writeFile(join(target.directory, 'album', 'never-written'), 'mine')
    await refused(check(target), 'FILE_IN_THE_WAY', /never-written stands there already/)
    // Nor is it taken for one of the torrent's, whatever happened before.
    await tidy(from, target, false)
    assert.equal(await readFile(join(target.directory, 'album', 'never-written'), 'utf8'), 'mine')
  })

  it('are not moved through links, and links are not moved', async () => {
    const target = to()
    await mkdir(join(root, 'outside'))
    await mkdir(join(target.directory, 'album'), { recursive: true })
    await symlink(join(root, 'outside'), join(target.directory, 'album', 'sub'))
    await refused(check(target), 'FILE_IN_THE_WAY', /sub is a link, which leads out/)
    await rm(target.directory, { recursive: true })
    await writeFile(join(root, 'new'), 'a file')
    await refused(check(target), 'FILE_IN_THE_WAY', /new is no folder/)
    await rm(join(root, 'new'))
    const two = join(from.directory, 'album', 'sub', 'two.bin')
    await rm(two)
    await symlink(join(root, 'outside'), two)
    await refused(check(target), 'FILE_IN_THE_WAY', /two\.bin is a link or no file/)
    await rm(dirname(two), { recursive: true })
    await symlink(join(root, 'outside'), dirname(two))
    await refused(check(target), 'FILE_IN_THE_WAY', /sub is a link/)
    // The folder that a person named may be one.
    await rm(dirname(two))
    await symlink(join(root, 'outside'), join(root, 'linked'))
    await check(to(join(root, 'linked')), { isNeeded: () => false })
  })

  it('are not moved when they are gone, or not as they were', async () => {
    await writeFile(join(from.directory, 'album', 'one.bin'), 'x', { flag: 'r+' })
    const stamps = new Map([[0, 'as-it-was']])
    await refused(check(to(), { stamps }), 'FILES_CHANGED', /one\.bin.*modified/)
    await rm(join(from.directory, 'album', 'one.bin'))
    await refused(check(to()), 'FILES_CHANGED', /one\.bin.*gone/)
    await check(to(), { isNeeded: () => false })
  })

  it('are not copied where there is no room, to the byte', async () => {
    const elsewhere = async (free: bigint) => {
      const disk: Disk = {
        ...systemDisk,
        stat: (async (path: string, options: { bigint: true }) => ({
          ...(await stat(path, options)),
          ...{ dev: 1n, isDirectory: () => true },
        })) as unknown as Disk['stat'],
        statfs: (async () => ({ bavail: free, bsize: 1n })) as unknown as Disk['statfs'],
      }
      await check(to(), {}, disk)
    }
    let needed = 0n
    for (const name of ['one.bin', 'sub/two.bin']) {
      const { size, blocks } = await stat(join(from.directory, 'album', name), { bigint: true })
      needed += size < blocks * 512n ? size : blocks * 512n
    }
    await elsewhere(needed)
    await refused(elsewhere(needed - 1n), 'DISK', /there is no room in .*: \d+ bytes go there, and \d+ are free/)
  })

  it('are not moved where nothing can be written, nor below folders of the system', async () => {
    const readOnly = (denied: string, code: string): Disk => ({
      ...systemDisk,
      access: (async (path: string, mode: number) => {
        if (path === denied && mode === constants.W_OK) throw failing(code)
      }) as Disk['access'],
    })
    await refused(check(to(), {}, readOnly(root, 'EROFS')), 'DISK', /its file system is read-only/)
    await refused(check(to(), {}, readOnly(join(from.directory, 'album', 'sub'), 'EACCES')), 'DISK', /no permission/)
    await refused(
      new Relocation(from, to('/proc/p2pt')).stage(new Map(), { signal: new AbortController().signal }),
      'DISK',
      /./,
    )
    await tidy(from, to('/proc/p2pt'), false)
    assert.ok(await holdsAll(from))
  })

  it('are renamed where only the case of a name differs, which may be one name', async () => {
    const target = to(from.directory, { file: null, name: 'ALBUM' }, { file: 1, name: 'TWO.bin' })
    await check(target)
    const signal = new AbortController().signal
    await new Relocation(from, target).stage(new Map(), { signal })
    assert.ok(await holdsAll(from))
    await tidy(target, from, true)
    assert.ok(await holdsAll(target))
    assert.deepEqual(await readdir(from.directory), ['ALBUM'])
  })

  it('are not taken for two where the file system folds case, and so never taken away', async () => {
    type Operation = (path: string, ...rest: unknown[]) => Promise<unknown>
    /** A path that is not there is the one that it folds to. */
    const foldingTo = (fold: (path: string) => string): Disk => {
      const folded = (name: 'lstat' | 'stat' | 'access' | 'syncFolder') => {
        const operation = systemDisk[name] as unknown as Operation
        return (path: string, ...rest: unknown[]) => operation(path, ...rest).catch(() => operation(fold(path), ...rest))
      }
      return {
        ...systemDisk,
        lstat: folded('lstat'),
        stat: folded('stat'),
        access: folded('access'),
        syncFolder: folded('syncFolder'),
      } as unknown as Disk
    }
    const folding = foldingTo((path) => path.replace('TWO', 'two'))
    const target = to(from.directory, { file: 1, name: 'TWO.bin' })
    await check(target, {}, folding)
    await new Relocation(from, target, folding).stage(new Map(), { signal: new AbortController().signal })
    await tidy(from, target, false, folding)
    assert.ok(await holdsAll(from), 'it was not moved')
    await tidy(target, from, true, folding)
    assert.ok(await holdsAll(target), 'it was')
    // Not by its name but by what it is: such a file system may fold what this program does not.
    from = target
    const other = to(from.directory, { file: 1, name: 'strasse' })
    const same = foldingTo((path) => path.replace('strasse', 'TWO.bin'))
    await tidy(from, other, false, same)
    assert.ok(await holdsAll(from))
  })

  it('are on the disk, and their names too, before the log is to have them', async () => {
    const synced: string[] = []
    const disk: Disk = {
      ...mortal(Number.POSITIVE_INFINITY, 'copies').disk,
      async syncFolder(path) {
        synced.push(path.slice(root.length + 1))
        await systemDisk.syncFolder(path)
      },
      open: (async (path: string, flags: string, mode: number) => {
        const handle = await systemDisk.open(path, flags, mode)
        const { sync } = handle
        handle.sync = () => {
          synced.push(path.slice(path.lastIndexOf('-') + 1))
          return sync.call(handle)
        }
        return handle
      }) as Disk['open'],
    }
    await new Relocation(from, to(), disk).stage(new Map(), { signal: new AbortController().signal })
    assert.deepEqual(synced.sort(), ['', '0.part', '1.part', '2.part', 'new', 'new/album', 'new/album/sub'])
  })

  it('are not moved by a copy of what somebody writes to meanwhile', async () => {
    const { disk } = mortal(Number.POSITIVE_INFINITY, 'copies')
    const path = join(from.directory, 'album', 'one.bin')
    const writes = () => writeFileSync(path, 'x', { flag: 'r+' })
    const staging = new Relocation(from, to(), disk).stage(new Map(), {
      signal: new AbortController().signal,
      onProgress: writes,
    })
    await refused(staging, 'FILES_CHANGED', /one\.bin.*modified/)
  })

  it('are never taken away where they are the last, and what differs stays', async () => {
    const target = to()
    const one = join(target.directory, 'album', 'one.bin')
    await mkdir(dirname(one), { recursive: true })
    // Another size, and another time: not a copy of ours.
    await writeFile(one, 'another')
    await link(join(from.directory, 'album', 'sub', 'two.bin'), join(root, 'kept'))
    await tidy(target, from, true)
    assert.deepEqual(await below(from.directory), ['album/one.bin'])
    await utimes(one, 1, 1_600_000_000.5)
    await tidy(target, from, true)
    assert.deepEqual(await below(from.directory), ['album/one.bin'], 'of the same time')
    assert.equal(await readFile(one, 'utf8'), 'another')
    assert.deepEqual(await below(target.directory), ['album/one.bin', 'album/sub/empty', 'album/sub/two.bin'])
    const later = new Date(1_600_000_003_000)
    await writeFile(one, bytes.get('one.bin') ?? '')
    await utimes(one, later, later)
    await tidy(target, from, true)
    assert.deepEqual(await below(from.directory), ['album/one.bin'], 'three seconds apart')
    await utimes(one, 1, 1_600_000_002)
    await tidy(target, from, true)
    assert.deepEqual(await below(from.directory), [], 'within two')
  })

  it('are not brought to a folder that is gone: what is mounted there may be missing', async () => {
    await refused(tidy(to(), from, true), 'DISK', /new is not there, and file 1 of the torrent is still at/)
    assert.ok(await holdsAll(from))
    assert.equal(await lstat(join(root, 'new')).catch(() => 'absent'), 'absent')
  })
})
