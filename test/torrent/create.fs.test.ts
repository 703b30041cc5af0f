import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFile, link, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import parseTorrent from 'parse-torrent'
import { createFrom } from '../../src/torrent/create.fs.ts'
import type { CreateOptions } from '../../src/torrent/engine.ts'
import { TorrentError } from '../../src/torrent/engine.ts'
import { checkTorrentFile } from '../../src/torrent/metainfo.ts'
import { sha1 } from '../../src/torrent/sha1.system.ts'

describe('a torrent made of files', () => {
  let root: string
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'p2pt-create-'))
  })
  afterEach(() => rm(root, { recursive: true, force: true }))

  const at = (...names: string[]) => join(root, ...names)
  const write = async (path: string, content: string | Uint8Array = 'a') => {
    await mkdir(join(at(path), '..'), { recursive: true })
    await writeFile(at(path), content)
  }
  const create = (path: string, options: CreateOptions = {}) => createFrom([path], options, sha1)
  const filesOf = (made: { torrentFile: Uint8Array }) =>
    checkTorrentFile(made.torrentFile, sha1).files.map(({ path }) => path.slice(1).join('/'))
  const refused = (code: TorrentError['code'], sentence: RegExp) => (error: unknown) => {
    assert.ok(error instanceof TorrentError, String(error))
    assert.equal(error.code, code)
    assert.match(error.message, sentence)
    return true
  }

  it('has its files in the order of the bytes of their paths, whatever the disk says', async () => {
    for (const name of ['b', 'a/z', 'a.txt', 'a/b', 'Z', 'é', '😀', '\uffee']) await write(`folder/${name}`)
    assert.deepEqual(filesOf(await create(at('folder'))), ['Z', 'a.txt', 'a/b', 'a/z', 'b', 'é', '\uffee', '😀'])
  })

  it('names the entry points of its DHT, at most eight, beside what the info hash is of', async () => {
    await write('a.bin')
    const nodes = Array.from({ length: 9 }, (_, at) => ({ host: `10.0.0.${at}`, port: 4_701 }))
    const without = await create(at('a.bin'))
    const made = await createFrom([at('a.bin')], { nodes }, sha1)
    assert.equal(made.infoHash, without.infoHash)
    const eight = nodes.slice(0, 8).map(({ host, port }) => `l${host.length}:${host}i${port}ee`)
    const info = Buffer.from(without.torrentFile).subarray(0, -1).toString('latin1')
    assert.equal(Buffer.from(made.torrentFile).toString('latin1'), `${info}5:nodesl${eight.join('')}ee`)
    assert.equal(checkTorrentFile(made.torrentFile, sha1).infoHash, made.infoHash)
  })

  it('is read by others as it is here: names, lengths, pieces', async () => {
    const content = randomBytes(300_001)
    await write('folder/one.bin', content.subarray(0, 100_000))
    await write('folder/sub/ä two.bin', content.subarray(100_000))
    await write('folder/empty', '')
    const made = await create(at('folder'))
    const read = await parseTorrent(made.torrentFile)
    assert.equal(read.infoHash, made.infoHash)
    assert.equal(read.name, 'folder')
    assert.equal(read.pieceLength, 16_384)
    assert.deepEqual(
      read.files?.map(({ path, length }) => [path, length]),
      [
        ['folder/empty', 0],
        ['folder/one.bin', 100_000],
        ['folder/sub/ä two.bin', 200_001],
      ],
    )
    const metainfo = checkTorrentFile(made.torrentFile, sha1)
    for (let index = 0; index < metainfo.pieceCount; index++) {
      const piece = content.subarray(index * 16_384, (index + 1) * 16_384)
      assert.equal(Buffer.from(metainfo.pieceHashes.subarray(index * 20, index * 20 + 20)).toString('hex'), sha1([piece]))
    }
    const single = await parseTorrent((await create(at('folder', 'one.bin'))).torrentFile)
    assert.deepEqual([single.name, single.length], ['one.bin', 100_000])
  })

  it('follows no link in a folder, and tells of each: out of it, around in a circle, to nowhere', async () => {
    await write('folder/a')
    await write('outside/secret')
    await symlink('/', at('folder', 'everything'))
    await symlink(at('outside'), at('folder', 'out'))
    await symlink('.', at('folder', 'loop'))
    await symlink('nowhere', at('folder', 'broken'))
    await symlink('a', at('folder', 'twice'))
    const made = await create(at('folder'))
    assert.deepEqual(filesOf(made), ['a'])
    assert.equal(made.skipped.link.count, 5)
    assert.deepEqual([...made.skipped.link.first].sort(), ['broken', 'everything', 'loop', 'out', 'twice'])
  })

  it('takes what a link that was named leads to, under the name it has there', async () => {
    await write('v2/a', 'abc')
    await symlink('v2', at('latest'))
    const made = await create(at('latest'))
    assert.deepEqual([made.name, made.directory, filesOf(made)], ['v2', root, ['a']])
  })

  it('leaves out pipes and sockets and tells of them, and refuses one that is named, without waiting for it', async () => {
    await write('folder/a')
    execFileSync('mkfifo', [at('folder', 'pipe')])
    const made = await create(at('folder'))
    assert.deepEqual([filesOf(made), made.skipped.special], [['a'], { count: 1, first: ['pipe'] }])
    await assert.rejects(create(at('folder', 'pipe')), refused('TORRENT_REFUSED', /pipe is a pipe, no file or folder/))
    await assert.rejects(create('/dev/zero'), refused('TORRENT_REFUSED', /\/dev\/zero is a device/))
  })

  it('leaves hidden files and folders out, counts and names them, and takes them when asked to', async () => {
    for (const name of ['a', '.env', '.gitignore', '.git/config', '.git/HEAD', 'sub/.x']) await write(`folder/${name}`)
    const made = await create(at('folder'))
    assert.deepEqual(filesOf(made), ['a'])
    assert.equal(made.skipped.hidden.count, 4)
    assert.deepEqual([...made.skipped.hidden.first].sort(), ['.env', '.git/', '.gitignore', 'sub/.x'])
    assert.deepEqual(filesOf(await create(at('folder'), { hidden: true })), [
      '.env',
      '.git/HEAD',
      '.git/config',
      '.gitignore',
      'a',
      'sub/.x',
    ])
    await rm(at('folder', 'a'))
    await assert.rejects(create(at('folder')), refused('TORRENT_REFUSED', /nothing to publish .* but hidden files; --hidden/))
    assert.deepEqual(filesOf(await create(at('folder', '.git'))), ['HEAD', 'config'], 'what is named is taken')
  })

  it('tells at most five names of each kind that is left out', async () => {
    await write('folder/a')
    for (let index = 0; index < 6; index++) await write(`folder/.${index}`)
    const { hidden } = (await create(at('folder'))).skipped
    assert.deepEqual([hidden.count, hidden.first.length], [6, 5])
  })

  it('is refused for a name that is no UTF-8, which is shown', async () => {
    await write('folder/a')
    await writeFile(Buffer.concat([Buffer.from(at('folder/x')), Buffer.of(0xff), Buffer.from('.txt')]), 'a')
    const named = Buffer.concat([Buffer.from(at('y')), Buffer.of(0xfe)])
    await writeFile(named, 'a')
    await symlink(named, at('to-it'))
    await assert.rejects(create(at('to-it')), refused('TORRENT_REFUSED', /y\\xfe" is no UTF-8/))
    await assert.rejects(create(at('folder')), refused('TORRENT_REFUSED', /"x\\xff\.txt" is no UTF-8/))
  })

  it('is refused for a name or a depth that no torrent may have, before anything is hashed', async () => {
    await write('folder/back\\slash')
    let hashed = 0
    await assert.rejects(
      create(at('folder'), { onProgress: () => hashed++ }),
      refused('TORRENT_REFUSED', /slash or a control character/),
    )
    assert.equal(hashed, 0)
    await write(`deep/${'d/'.repeat(100)}a`)
    assert.equal(filesOf(await create(at('deep'))).length, 1)
    await write(`deep/${'d/'.repeat(101)}a`)
    await assert.rejects(create(at('deep')), refused('TORRENT_REFUSED', /more than 100 folders deep/))
  })

  it('is refused for a name that others would change, or leave out', async () => {
    await write('one/a\\b')
    await assert.rejects(create(at('one')), refused('TORRENT_REFUSED', /"one\/a\\\\b" has a backslash .*rename it/))
    await write('two/_____padding_file_0_')
    await assert.rejects(
      create(at('two')),
      refused('TORRENT_REFUSED', /_____padding_file_0_" is named like padding.*rename it/),
    )
  })

  it('keeps the case of names, marks of direction and a byte order mark', async () => {
    for (const name of ['A.txt', 'a.txt', '\u200fa', '\ufeffa', `${'x'.repeat(250)}.mkv`]) await write(`folder/${name}`)
    assert.equal((await create(at('folder'))).fileCount, 5)
  })

  it('is refused for a file or folder that may not be read, with its path and the reason', async function () {
    if (process.geteuid?.() !== 0) this.skip()
    await write('folder/kept')
    await mkdir(at('folder', 'closed'), { mode: 0o700 })
    execFileSync('chmod', ['755', root, at('folder')])
    execFileSync('chmod', ['600', at('folder', 'kept')])
    process.seteuid?.(65_534)
    try {
      await assert.rejects(create(at('folder')), refused('DISK', /folder\/closed cannot be read: permission denied/))
      await assert.rejects(create(at('folder', 'kept')), refused('DISK', /folder\/kept cannot be read: permission denied/))
    } finally {
      process.seteuid?.(0)
    }
  })

  it('is refused where there is nothing, or nothing but names', async () => {
    await mkdir(at('empty'))
    await write('names/a', '')
    await assert.rejects(create(at('empty')), refused('TORRENT_REFUSED', /there is no file in/))
    await assert.rejects(create(at('names')), refused('TORRENT_REFUSED', /holds no data/))
    await assert.rejects(create(at('absent')), refused('NO_SUCH_PATH', /absent: it is gone/))
    await assert.rejects(create('/'), refused('TORRENT_REFUSED', /has no name/))
  })

  it('comes to an end for /proc, which has none', async function () {
    this.timeout(60_000)
    await assert.rejects(create('/proc'), (error) => error instanceof TorrentError)
  })

  it('is refused for a file that changes while it is hashed', async () => {
    for (const change of [
      () => appendFile(at('folder/b'), 'x'),
      () => truncate(at('folder/b'), 10),
      () => rm(at('folder/b')),
    ]) {
      await write('folder/a', randomBytes(3_000_000))
      await write('folder/b', randomBytes(3_000_000))
      let changing: Promise<unknown> | undefined
      const onProgress = (done: number) => {
        if (done > 3_000_000) changing ??= change()
      }
      await assert.rejects(
        create(at('folder'), { onProgress }),
        refused('DISK', /folder\/b (changed while it was hashed|cannot be read: it is gone)/),
      )
      await changing
    }
    await write('folder/b', randomBytes(3_000_000))
    let touched: Promise<unknown> | undefined
    const afterFirst = (done: number) => {
      if (done > 3_000_000) touched ??= appendFile(at('folder/a'), 'x')
    }
    await assert.rejects(
      create(at('folder'), { onProgress: afterFirst }),
      refused('DISK', /folder\/a changed while it was hashed/),
    )
    await touched
  })

  it('stops walking and hashing when it is told to', async () => {
    for (let index = 0; index < 2_000; index++) await write(`many/${index}`)
    const walking = new AbortController()
    let found = 0
    const onWalk = (count: number) => {
      found = count
      walking.abort(new Error('enough'))
    }
    await assert.rejects(create(at('many'), { signal: walking.signal, onWalk }), /enough/)
    assert.equal(found, 64)
    await write('large', Buffer.alloc(200_000_000))
    const hashing = new AbortController()
    let hashed = 0
    const onProgress = (done: number) => {
      hashed = done
      hashing.abort(new Error('enough'))
    }
    await assert.rejects(create(at('large'), { signal: hashing.signal, onProgress }), /enough/)
    await new Promise((resolve) => setImmediate(resolve))
    assert.ok(hashed <= 1024 * 1024, `hashed ${hashed} bytes`)
  })

  it('says how each file looked, for whoever serves it', async () => {
    await write('folder/a', 'abc')
    await write('folder/empty', '')
    const { stamps } = await create(at('folder'))
    assert.equal(stamps.length, 1)
    assert.match(stamps[0]?.stamp ?? '', /^3-\d+-\d+-\d+$/)
  })

  describe('and data directories', () => {
    const node = async (name: string) => {
      for (const file of ['node.json', 'key.seed', 'log/1', 'downloads/film/a']) await write(`${name}/${file}`)
      return at(name)
    }
    const kept = refused('PRIVATE', /belongs to the data directory of a node|holds the data directory/)

    it('is never made of the node’s own one, what is in it, or what holds it', async () => {
      const dataDirectory = await node('home/.p2pt')
      await write('home/a')
      await symlink(dataDirectory, at('link'))
      await symlink(join(dataDirectory, 'key.seed'), at('seed-link'))
      const options = { dataDirectory, hidden: true }
      for (const path of [
        ...[dataDirectory, join(dataDirectory, 'key.seed'), join(dataDirectory, 'log'), join(dataDirectory, 'log/1')],
        ...[at('home'), root, at('link'), at('seed-link'), join(dataDirectory, 'downloads/../log')],
      ]) {
        await assert.rejects(create(path, options), kept, path)
      }
      await assert.rejects(create(at('home'), { dataDirectory }), kept, 'even where it is hidden')
      assert.deepEqual(filesOf(await create(join(dataDirectory, 'downloads'), options)), ['film/a'])
      assert.deepEqual(filesOf(await create(join(dataDirectory, 'downloads/film'), options)), ['a'])
    })

    it('is never made of a key under another name, by a hard link', async () => {
      const dataDirectory = await node('data')
      await write('folder/a')
      await link(join(dataDirectory, 'key.seed'), at('folder', 'innocent'))
      await assert.rejects(create(at('folder'), { dataDirectory }), kept)
    })

    it('is never made of another node’s one either', async () => {
      const other = await node('folder/deep/other')
      for (const path of [at('folder'), other, join(other, 'key.seed'), join(other, 'log')])
        await assert.rejects(create(path), kept, path)
      assert.deepEqual(filesOf(await create(join(other, 'downloads'))), ['film/a'])
    })
  })

  describe('and the keys of networks', () => {
    const KEY = new Uint8Array(32)
    const owner = async (name: string) => {
      await write(`${name}/network.json`, '{}')
      await write(`${name}/owner.seed`, KEY)
      return at(name)
    }
    const kept = refused('PRIVATE', /the folder of a network’s owner|the key of a node or of a network’s owner/)

    it('is never made of an owner’s folder, what is in it, or what holds it', async () => {
      const folder = await owner('keep/networks/lab')
      await write('keep/a')
      await symlink(folder, at('link'))
      for (const path of [folder, join(folder, 'owner.seed'), join(folder, 'network.json'), at('keep'), root, at('link')])
        await assert.rejects(create(path), kept, path)
    })

    it('is never made of the copy of a key', async () => {
      for (const name of ['owner.seed', 'key.seed']) {
        await write(`backup of ${name}/${name}`, KEY)
        await write(`backup of ${name}/a`)
        await assert.rejects(create(at(`backup of ${name}`, name)), kept)
        await assert.rejects(create(at(`backup of ${name}`)), kept)
      }
      await write('seeds/owner.seed', new Uint8Array(33))
      assert.deepEqual(filesOf(await create(at('seeds'))), ['owner.seed'], 'a file of another length is no key')
    })
  })
})
