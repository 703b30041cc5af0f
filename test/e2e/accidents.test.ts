import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, open, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { connectNode, type RemoteNode } from '../../src/control/index.ts'
import type { ClientService } from '../../src/roles/index.ts'
import { build, type NodeProcess, p2pt, startNode } from '../cli/program.ts'
import { resultOf } from '../cluster/client-nodes.ts'
import { until } from '../roles/until.ts'

// What happens to a file by accident while its torrent is seeded, with real processes: the owner is told, nobody honest is
// blamed, others go on with the download, and a recheck mends it. All at once, each with a torrent of its own. And what a folder
// may hold by accident when it is published.

const run = promisify(execFile)
const SIZE = 4_000_000
/** Of the seeder that has the accident, for each torrent: the download would take eight seconds. */
const SLOW = 500_000
const TOLD_MS_MAX = 5_000
const NAME = 'song.mp3'

/** Where the file stands, and its bytes. */
type Place = { folder: string; file: string; bytes: Buffer }
type Accident = {
  what: string
  happens(place: Place): Promise<unknown>
  isMended?(place: Place): Promise<unknown>
  /** What the owner is told of the file. */
  told: RegExp
  /** Before anybody asks: a file that is open already is read on, and one whose time is not set back yet looks changed. */
  isBefore?: boolean
  /** Before it is published. */
  prepared?(place: Place): Promise<unknown>
}

const putBack = ({ file, bytes }: Place) => writeFile(file, bytes)
const inPlace = (bytes: Uint8Array) => async (path: string) => {
  const file = await open(path, 'r+')
  await file.write(bytes, 0, bytes.length, SIZE - bytes.length)
  await file.close()
}
const isRoot = process.getuid?.() === 0
const disk = ({ folder }: Place) => `${folder}.disk`

const ACCIDENTS: readonly Accident[] = [
  {
    what: 'edited in place',
    happens: ({ file }) => inPlace(randomBytes(1_000))(file),
    told: /was changed or replaced/,
  },
  {
    what: 'edited in place by a program that keeps its time',
    happens: async ({ file }) => {
      await run('touch', ['-r', file, `${file}.time`])
      await inPlace(randomBytes(SIZE))(file)
      await run('touch', ['-r', `${file}.time`, file])
    },
    told: /no longer holds what was verified/,
    isBefore: true,
  },
  { what: 'cut', happens: ({ file }) => truncate(file, 1_000), told: /is shorter/ },
  { what: 'deleted', happens: ({ file }) => rm(file), told: /is gone/ },
  {
    what: 'replaced by another of its name',
    happens: async ({ file }) => {
      await writeFile(`${file}.new`, randomBytes(SIZE))
      await rename(`${file}.new`, file)
    },
    told: /was changed or replaced/,
  },
  {
    what: 'moved away with its folder',
    happens: ({ folder }) => rename(folder, `${folder}.away`),
    isMended: ({ folder }) => rename(`${folder}.away`, folder),
    told: /is gone/,
  },
  {
    what: 'of a folder that may not be read any more',
    happens: ({ folder }) => chmod(folder, 0),
    isMended: ({ folder }) => chmod(folder, 0o755),
    told: /cannot be read \(permission denied\)|no permission to read/,
    isBefore: true,
  },
  {
    what: 'that may not be read any more',
    happens: ({ file }) => chmod(file, 0),
    isMended: ({ file }) => chmod(file, 0o644),
    told: /cannot be read \(permission denied\)|no permission to read/,
    isBefore: true,
  },
]

/** A disk that is taken out while it is read. */
const UNMOUNTED: Accident = {
  what: 'on a disk that is unmounted',
  prepared: async (place) => {
    await rename(place.folder, disk(place))
    await mkdir(place.folder)
    await run('mount', ['--bind', disk(place), place.folder])
  },
  happens: ({ folder }) => run('umount', ['--lazy', folder]),
  isMended: (place) => run('mount', ['--bind', disk(place), place.folder]),
  told: /is gone/,
}

describe('by accident, with real processes', function () {
  this.timeout(120_000)
  let directory: string
  let overlay = 0
  const nodes: NodeProcess[] = []
  const mounts: string[] = []

  const start = async (role: string, name: string, prefix: readonly string[] = []) => {
    const where = ['--json', '--data', join(directory, name), '--host', '127.0.0.1', '--port', '0']
    const entry = overlay === 0 ? [] : ['--bootstrap', `127.0.0.1:${overlay}`]
    const node = await startNode([role, 'start', ...where, ...entry], {}, prefix)
    nodes.push(node)
    return JSON.parse(node.ready) as { ports: { overlay: number; torrent: number } }
  }
  const reach = async (name: string): Promise<RemoteNode & { client: ClientService }> =>
    (await connectNode(join(directory, name), { answerMsMax: 20_000 })) as RemoteNode & { client: ClientService }
  const rowOf = async ({ client }: { client: ClientService }, infoHash: string) => {
    const row = (await client.clientStatus()).torrents.find((each) => each.infoHash === infoHash)
    assert.ok(row)
    return row
  }
  let ports: { owner: number; other: number }
  let owner: Awaited<ReturnType<typeof reach>>
  let other: typeof owner
  let leecher: typeof owner

  before(async () => {
    build()
    directory = await mkdtemp(join(tmpdir(), 'p2pt-accidents-'))
    overlay = (await start('bootstrap', 'bootstrap')).ports.overlay
    // Root may read what nobody may: not this process.
    const caps = '-dac_override,-dac_read_search'
    const prefix = isRoot ? ['setpriv', '--bounding-set', caps, '--inh-caps', caps] : []
    const [, first, second] = await Promise.all([
      start('index', 'index'),
      start('client', 'owner', prefix),
      start('client', 'other'),
      start('client', 'leecher'),
    ])
    ports = { owner: first.ports.torrent, other: second.ports.torrent }
    owner = await reach('owner')
    other = await reach('other')
    leecher = await reach('leecher')
  })

  after(async () => {
    for (const { child } of nodes) child.kill('SIGTERM')
    await Promise.all(nodes.map(({ ended }) => ended))
    for (const folder of mounts) await run('umount', ['--lazy', folder]).catch(() => {})
    await rm(directory, { recursive: true, force: true })
  })

  /** The same file, published by both; the other one is paused. */
  const published = async (number: number, prepared: (place: Place) => Promise<unknown> = async () => {}) => {
    const bytes = randomBytes(SIZE)
    const name = `${number}-${NAME}`
    const place = (who: string): Place => {
      const folder = join(directory, 'files', who, String(number))
      return { folder, file: join(folder, name), bytes }
    }
    const [at, otherAt] = [place('owner'), place('other')]
    for (const { folder, file } of [at, otherAt]) {
      await mkdir(folder, { recursive: true })
      await writeFile(file, bytes)
    }
    await prepared(at)
    const { infoHash, magnet } = await resultOf(owner.client.publish({ path: at.file }))
    await resultOf(other.client.publish({ path: otherAt.file }))
    await other.client.pause(infoHash)
    await owner.client.limit(infoHash, { uploadBytesPerSecond: SLOW })
    return { infoHash, magnet, at, name }
  }
  /** As the prompt shows it. */
  const noticeOf = async (name: string): Promise<string> => {
    for await (const { code, text } of owner.node.notices({ last: 500 })) {
      if (code === 'torrent.problem' && text.includes(`"${name}"`)) return text
    }
    return ''
  }
  const nobodyIsBlamed = async () => {
    for (const { node } of [owner, other, leecher]) {
      for (const { peer, ownBad, standing } of await node.scores()) assert.deepEqual([ownBad, standing], [0, 'good'], peer)
    }
  }

  const goesWrong = async (number: number, { happens, isMended = putBack, told, isBefore = false, prepared }: Accident) => {
    const { infoHash, magnet, at, name } = await published(number, prepared)
    const into = join(directory, 'into', String(number))
    const started = performance.now()
    if (isBefore) await happens(at)
    const asked = performance.now()
    await leecher.client.add({ magnet: `${magnet}&x.pe=127.0.0.1:${ports.owner}`, directory: into })
    if (!isBefore) {
      await until('it has begun', async () => (await rowOf(leecher, infoHash)).piecesVerified > 0, 30_000)
      await happens(at)
    }
    const since = isBefore ? asked : performance.now()
    await until('the owner is told', async () => (await rowOf(owner, infoHash)).problem !== null, 20_000)
    const toldMs = performance.now() - since
    assert.ok(toldMs < TOLD_MS_MAX, `told after ${Math.round(toldMs)} ms of ${Math.round(performance.now() - started)}`)
    const text = await noticeOf(name)
    assert.match(text, told)
    assert.match(text, /`p2pt client recheck [0-9a-f]{40}`|then resume/)
    const row = await rowOf(owner, infoHash)
    assert.equal(row.state, 'failed')
    assert.match(row.problem ?? '', told)

    await other.client.resume(infoHash)
    await leecher.client.add({ magnet: `${magnet}&x.pe=127.0.0.1:${ports.other}`, directory: into })
    await until('it comes from another', async () => (await rowOf(leecher, infoHash)).state === 'seeding', 30_000)
    assert.ok(at.bytes.equals(await readFile(join(into, name))))

    await isMended(at)
    const ended = await p2pt(['client', 'recheck', infoHash, '--json', '--data', join(directory, 'owner')])
    assert.equal(ended.exit, 0, ended.stderr)
    const checked = JSON.parse(ended.stdout) as { piecesVerified: number; pieceCount: number; problem: string | null }
    assert.deepEqual([checked.piecesVerified, checked.problem], [checked.pieceCount, null])
    await until('it is seeded again', async () => (await rowOf(owner, infoHash)).state === 'seeding')
  }

  it('a file under a seeding torrent changes: its owner is told within 5 s, nobody is blamed, a recheck mends it', async () => {
    const isMountable = isRoot && process.platform === 'linux'
    if (isMountable) mounts.push(join(directory, 'files', 'owner', String(ACCIDENTS.length)))
    const accidents = isMountable ? [...ACCIDENTS, UNMOUNTED] : ACCIDENTS
    const ends = await Promise.allSettled(accidents.map((accident, number) => goesWrong(number, accident)))
    const wrong = ends.flatMap((end, number) =>
      end.status === 'rejected' ? [`${accidents[number]?.what}: ${(end.reason as Error).message}`] : [],
    )
    assert.deepEqual(wrong, [])
    await nobodyIsBlamed()
  })

  it('a second torrent has the path of one: the same client refuses it, and what another one writes is noticed', async () => {
    const number = ACCIDENTS.length + 1
    const { infoHash, magnet, at, name } = await published(number)
    const folder = join(directory, 'files', 'second')
    await mkdir(folder)
    await writeFile(join(folder, name), randomBytes(SIZE))
    const second = await resultOf(other.client.publish({ path: join(folder, name) }))
    const from = `&x.pe=127.0.0.1:${ports.other}`
    const twice = { magnet: `${second.magnet}${from}`, directory: at.folder, overwrite: true }
    await owner.client.add(twice)
    await until('it is refused', async () => (await rowOf(owner, second.infoHash)).state === 'failed')
    assert.match((await rowOf(owner, second.infoHash)).problem ?? '', /would stand where .* stands.*--to and another folder/)
    assert.ok(at.bytes.equals(await readFile(at.file)))

    const into = join(directory, 'into', String(number))
    await leecher.client.add({ magnet: `${magnet}&x.pe=127.0.0.1:${ports.owner}`, directory: into })
    await until('it has begun', async () => (await rowOf(leecher, infoHash)).piecesVerified > 0, 30_000)
    await leecher.client.add(twice)
    const since = performance.now()
    await until('the owner is told', async () => (await rowOf(owner, infoHash)).state === 'failed', 20_000)
    assert.ok(performance.now() - since < TOLD_MS_MAX)
    assert.match((await rowOf(owner, infoHash)).problem ?? '', /was changed or replaced.*client recheck/)
    await nobodyIsBlamed()
  })

  const publish = (path: string, ...flags: string[]) =>
    p2pt(['client', 'publish', path, ...flags, '--data', join(directory, 'owner')])

  it('a folder with links, pipes, sockets, devices and dotfiles is published: what is left out is told', async () => {
    const folder = join(directory, 'mixed')
    await mkdir(join(folder, 'in', '.git'), { recursive: true })
    await writeFile(join(directory, 'secret.txt'), 'of somebody')
    await writeFile(join(folder, 'a.txt'), 'a')
    await writeFile(join(folder, '.env'), 'hidden')
    await writeFile(join(folder, 'in', 'b.txt'), 'bb')
    await writeFile(join(folder, 'in', '.git', 'HEAD'), 'hidden too')
    await symlink(join(directory, 'secret.txt'), join(folder, 'out'))
    await symlink('..', join(folder, 'in', 'around'))
    await symlink('in', join(folder, 'twice'))
    await run('mkfifo', [join(folder, 'pipe')])
    if (isRoot) await run('mknod', [join(folder, 'null'), 'c', '1', '3'])
    const server = createServer().listen(join(folder, 'socket'))
    await once(server, 'listening')
    try {
      const text = await publish(folder)
      assert.equal(text.exit, 0, text.stderr)
      assert.match(text.stdout, /left out +2 hidden entries \(--hidden takes them\): (\.env, in\/\.git\/|in\/\.git\/, \.env)/)
      assert.match(text.stdout, /left out +3 symbolic links: .*out/)
      assert.match(text.stdout, isRoot ? /3 pipes, sockets or devices: / : /2 pipes, sockets or devices: /)
      const sizeOf = (stdout: string) => (JSON.parse(stdout) as { published: { sizeBytes: number }[] }).published[0]?.sizeBytes
      assert.equal(sizeOf((await publish(folder, '--json')).stdout), 3)
      assert.equal(sizeOf((await publish(folder, '--json', '--hidden')).stdout), 3 + 6 + 10)
    } finally {
      server.close()
    }
  })

  it('a name that is no UTF-8 is shown and refused, and so is the own data directory and what holds it', async () => {
    const folder = join(directory, 'latin')
    await mkdir(folder)
    await writeFile(Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.of(0xe9), Buffer.from('.txt')]), 'noir')
    const named = await publish(folder)
    assert.equal(named.exit, 1, named.stdout)
    assert.match(named.stderr, /caf\\xe9\.txt/)
    for (const path of [join(directory, 'owner'), join(directory, 'owner', 'log'), directory]) {
      const refused = await publish(path)
      assert.equal(refused.exit, 1, refused.stdout)
      assert.match(refused.stderr, /data directory of (this|a) node/)
    }
  })

  it('a person interrupts it: the node reads no further', async () => {
    const file = join(directory, 'large.iso')
    await writeFile(file, 'x')
    // Nothing of it is on the disk; hashing it takes half a minute.
    await truncate(file, 50_000_000_000)
    const { pid } = await owner.node.status()
    const opened = () => readdirSync(`/proc/${pid}/fd`).some((fd) => targetOf(`/proc/${pid}/fd/${fd}`) === file)
    let interrupted: Promise<void> | undefined
    const ended = await p2pt(['client', 'publish', file, '--data', join(directory, 'owner')], {
      onStart: (command) => {
        interrupted = until('it is read', opened, 20_000).then(() => void command.kill('SIGINT'))
      },
    })
    await interrupted
    assert.notEqual(ended.exit, 0)
    await until('it is read no more', () => !opened(), 2_000)
    assert.ok(!(await owner.client.clientStatus()).torrents.some(({ name }) => name === 'large.iso'))
  })
})

const targetOf = (link: string): string | undefined => {
  try {
    return readlinkSync(link)
  } catch {
    // Closed since it was listed.
    return undefined
  }
}
