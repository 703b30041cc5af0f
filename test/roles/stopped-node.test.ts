import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Level } from 'level'
import { upcastSteps } from '../../migrations/index.ts'
import { isNodeId, type UnsignedEvent, upcaster } from '../../src/events/index.ts'
import { openLevelLog } from '../../src/events/log/event-log.level.ts'
import { SEGMENTS } from '../../src/events/segments/segment-keys.ts'
import { allProjections } from '../../src/projections/index.ts'
import { openLevelProjectionStore } from '../../src/projections/projection-store.level.ts'
import { startNode } from '../../src/roles/compose.ts'
import { migrateStopped, openStoppedNode, planStoppedMigration, rebuildStopped } from '../../src/roles/compose-stopped.ts'
import { describeDirectory, openDataDirectory } from '../../src/roles/directory/data-directory.fs.ts'
import { ServiceError } from '../../src/roles/index.ts'
import { build } from '../cli/program.ts'
import { EVERY_KIND, foreign, numbered, signerOf, tickingClock } from '../events/samples.ts'
import { joiningAs, TEST_GENESIS, TEST_KEYS } from '../events/test-network.ts'
import { resultOf } from './result-of.ts'

const GOLDEN = join(import.meta.dirname, '../fixtures/logs')
const upcast = upcaster(upcastSteps)
const NAMES = ['admissions', 'kept', 'liveness', 'reputation', 'keyword-index', 'downloads'] as const
const version = (name: (typeof NAMES)[number]): number => allProjections(signerOf(1).id, TEST_KEYS)[name].version

/** The seed of `signerOf(1)`, whose node wrote the golden logs. */
function goldenSeed(): Uint8Array {
  const seed = new Uint8Array(32).fill(7)
  new DataView(seed.buffer).setUint32(0, 1)
  return seed
}

describe('a node that does not run', () => {
  let root: string
  const at = (name: string) => join(root, name)
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'p2pt-stopped-'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  /** A data directory with a golden log in it. */
  const golden = (version: string): string => {
    const directory = at(`golden-${version}`)
    cpSync(join(GOLDEN, version), directory, { recursive: true })
    writeFileSync(join(directory, 'key.seed'), goldenSeed(), { mode: 0o600 })
    const joined = { genesis: Buffer.from(TEST_GENESIS).toString('base64'), credential: '', bootstraps: [] }
    writeFileSync(join(directory, 'node.json'), JSON.stringify({ format: 1, role: 'client', id: signerOf(1).id, ...joined }))
    return directory
  }
  /** A data directory of a new node with these events. */
  const made = async (name: string, drafts: readonly UnsignedEvent[]): Promise<string> => {
    using directory = await openDataDirectory(at(name), { role: 'client', joining: joiningAs('client') })
    const { signer } = directory
    assert.ok(isNodeId(signer.id))
    await using log = await openLevelLog({ directory: at(name), signer, clock: tickingClock(), upcast })
    for (let from = 0; from < drafts.length; from += 250) await log.append(drafts.slice(from, from + 250))
    return at(name)
  }
  const openStore = (directory: string) => {
    const { id: author, network } = describeDirectory(directory)
    return openLevelProjectionStore({ directory: join(directory, 'projections'), owner: { author, network } })
  }
  const versionsIn = async (directory: string) => {
    await using store = await openStore(directory)
    return Object.fromEntries(
      await Promise.all(
        NAMES.map(async (name) => [
          name,
          (await (name === 'keyword-index' ? store.openTable(name) : store.load(name)))?.version,
        ]),
      ),
    )
  }

  describe('is migrated', () => {
    it('told which projections are made again, then they are', async () => {
      const directory = golden('v1')
      {
        await using store = await openStore(directory)
        await store.commit('downloads', 1, 460, [['d/old', '{}']])
      }
      const plan = await planStoppedMigration(directory)
      assert.deepEqual(plan.upcasts, [], 'the golden log is of the present version')
      assert.deepEqual(
        plan.versions.find(({ kind }) => kind === 'download.added'),
        { kind: 'download.added', version: 1, present: 1, events: 3 },
      )
      assert.equal(
        plan.versions.reduce((sum, { events }) => sum + events, 0),
        plan.events,
      )
      assert.ok(plan.versions.some(({ kind, present }) => kind === 'unknown kind 1000' && present === null))
      assert.deepEqual(
        plan.projections.map(({ name, stored, version, rebuild }) => [name, stored, version, rebuild]),
        [
          ['admissions', null, version('admissions'), 'missing'],
          ['kept', null, version('kept'), 'missing'],
          ['liveness', null, version('liveness'), 'missing'],
          ['reputation', null, version('reputation'), 'missing'],
          ['keyword-index', null, version('keyword-index'), 'missing'],
          ['downloads', 1, version('downloads'), 'version'],
        ],
      )
      assert.equal(plan.projections.at(-1)?.events, 18 * 3)
      assert.deepEqual(await versionsIn(directory), {
        ...{
          admissions: undefined,
          kept: undefined,
          liveness: undefined,
          reputation: undefined,
          'keyword-index': undefined,
          downloads: 1,
        },
      })

      const { digests } = await resultOf(migrateStopped(directory))
      assert.equal((await versionsIn(directory)).downloads, version('downloads'))
      const after = await planStoppedMigration(directory)
      assert.deepEqual(
        after.projections.map(({ rebuild, events }) => [rebuild, events]),
        NAMES.map(() => [null, 0]),
      )
      await using stopped = await openStoppedNode(directory)
      assert.deepEqual((await stopped.digests({ at: plan.events })).digests, digests)
    })

    it('never from a newer version: what this node wrote and cannot read must not be passed over', async () => {
      const directory = golden('v1')
      {
        await using log = await openLevelLog({ directory, signer: signerOf(1), clock: tickingClock(), upcast })
        const { body } = foreign(
          signerOf(1),
          999,
          log.lamport + 1,
          EVERY_KIND.find(({ event }) => event.kind === 'download.added'),
        )
        // The second byte is the version.
        const newer = body.map((byte, index) => (index === 1 ? 2 : byte))
        const [ingested] = await log.ingest([{ body: newer, signature: signerOf(1).sign('event', newer) }])
        assert.equal(ingested?.outcome, 'appended')
      }
      const refused = (error: unknown) =>
        error instanceof ServiceError &&
        error.code === 'damaged' &&
        /download\.added in version 2, .* up to 1: use the newer/.test(error.message)
      await assert.rejects(planStoppedMigration(directory), refused)
      await assert.rejects(resultOf(migrateStopped(directory)), refused)
      assert.ok(!existsSync(join(directory, 'projections')), 'nothing was changed')
    })
  })

  describe('is counted', () => {
    it('from the summaries of its segments: no segment is read, and no projection made', async () => {
      const directory = await made(
        'one',
        Array.from({ length: 1_000 }, (_, index) => numbered(index)),
      )
      const database = new Level<Uint8Array, Buffer>(join(directory, 'log'), { keyEncoding: 'view', valueEncoding: 'buffer' })
      await database.open()
      for (const key of await database.keys(SEGMENTS).all()) await database.put(key, Buffer.from('not a segment'))
      await database.close()
      await using node = await openStoppedNode(directory)
      const { events, authors, gone, bytesOnDisk, read } = await resultOf(node.stats())
      assert.deepEqual([events, authors, gone, read], [1_000, 1, 0, null])
      assert.ok(bytesOnDisk > 0)
      await assert.rejects(resultOf(node.stats({ read: true })), { code: 'LOG_DAMAGED' }, 'every one of them is damaged')
    })
  })

  describe('has its projections made again', () => {
    it('so that its next start finds them, and says what was wrong', async () => {
      const directory = await made('one', [...EVERY_KIND, ...EVERY_KIND])
      await resultOf(rebuildStopped(directory, undefined))
      {
        // Rows that add up and are wrong: what a bug in an older version may have left.
        await using store = await openStore(directory)
        await store.commit('reputation', version('reputation'), 2 * EVERY_KIND.length, [
          ['r/nobody', '{"agree":1,"disagree":0}'],
        ])
      }
      const { projections } = await resultOf(rebuildStopped(directory, ['reputation', 'liveness']))
      assert.deepEqual(
        projections.map(({ name, events, digestBefore, digestAfter }) => [name, events, digestBefore === digestAfter]),
        [
          ['reputation', 2 * EVERY_KIND.length, false],
          ['liveness', 2 * EVERY_KIND.length, true],
        ],
      )
      const [again] = (await resultOf(rebuildStopped(directory, ['reputation']))).projections
      assert.equal(again?.digestBefore, projections[0]?.digestAfter)
    })

    it('unless it is no projection, no node, or one that runs', async () => {
      const directory = await made('one', [])
      await assert.rejects(resultOf(rebuildStopped(directory, ['nonsense'])), {
        code: 'usage',
        message: /no projection nonsense; known are admissions, kept, liveness/,
      })
      await assert.rejects(resultOf(rebuildStopped(at('absent'), undefined)), {
        code: 'usage',
        message: /there is no p2pt node in .*no such directory/,
      })
      using _running = await openDataDirectory(directory, { role: 'client', joining: joiningAs('client') })
      await assert.rejects(resultOf(rebuildStopped(directory, undefined)), { code: 'failed', message: /in use/ })
    })
  })

  describe('is verified', () => {
    it('with its key, which may have been replaced by that of another node', async () => {
      const directory = await made('one', EVERY_KIND)
      const verdict = async () => {
        await using node = await openStoppedNode(directory)
        return await resultOf(node.verify({ signatures: false }))
      }
      const { intact, headDigest } = await verdict()
      assert.ok(intact)
      writeFileSync(join(directory, 'key.seed'), goldenSeed())
      const foreign = await verdict()
      assert.deepEqual([foreign.intact, foreign.ranges, foreign.headDigest], [false, [], headDigest])
      const sentence = `the log is of node ${describeDirectory(directory).id}, and key.seed beside it is the key of node ${signerOf(1).id}`
      assert.ok(foreign.problems[0]?.startsWith(sentence), foreign.problems.join())
      writeFileSync(join(directory, 'key.seed'), 'short')
      assert.match((await verdict()).problems.join(), /key\.seed has 5 bytes, not 32/)
    })
  })

  describe('is read', () => {
    it('from its own log, where somebody copied the projections of another node to it', async () => {
      const [directory, other] = [await made('one', EVERY_KIND), await made('two', EVERY_KIND.slice(1))]
      await resultOf(rebuildStopped(other, undefined))
      rmSync(join(directory, 'projections'), { recursive: true })
      cpSync(join(other, 'projections'), join(directory, 'projections'), { recursive: true })
      {
        await using node = await openStoppedNode(directory)
        assert.deepEqual((await node.digests({})).digests, (await node.digests({ at: EVERY_KIND.length })).digests)
      }
      const plan = await planStoppedMigration(directory)
      assert.ok(plan.projections.every(({ rebuild }) => rebuild === 'missing'))
    })

    it('without a byte of its log being changed, or anything left beside it', async () => {
      const directory = golden('v1')
      const contents = () =>
        readdirSync(directory, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name), 'base64')])
      const before = contents()
      {
        await using node = await openStoppedNode(directory)
        let events = 0
        for await (const _ of node.events({})) events++
        assert.equal((await resultOf(node.stats({ read: true }))).events, events)
        await node.members({})
      }
      {
        await using node = await openStoppedNode(directory)
        assert.ok((await resultOf(node.verify({ signatures: false }))).intact)
      }
      assert.deepEqual(contents(), before)
    })

    it('from where nothing can be written, such as a backup that is mounted read-only', async function () {
      const isolated = ['-m', '--', 'true']
      if (process.getuid?.() !== 0 || spawnSync('unshare', isolated).status !== 0) this.skip()
      this.timeout(60_000)
      build()
      const directory = golden('v1')
      const program = join(import.meta.dirname, '../../bin/run.js')
      const script = `mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && ! touch "$1/x" 2>/dev/null &&
        "$2" "$3" log verify --data "$1" && "$2" "$3" log stats --json --data "$1" &&
        "$2" "$3" node backup --data "$1" --output "$4"`
      const words = ['bash', '-c', script, 'bash', directory, process.execPath, program, at('backup')]
      const { status, stdout, stderr } = spawnSync('unshare', ['-m', '--', ...words], { encoding: 'utf8' })
      assert.equal(status, 0, stdout + stderr)
      assert.match(stdout, /^intact: 264 events/m)
      await using copy = await openStoppedNode(at('backup'))
      assert.ok((await resultOf(copy.verify({ signatures: true }))).intact)
    })
  })
})

describe('a directory with no node in it', () => {
  it('is told from one with a node in one way, whatever of it is missing', async () => {
    const root = mkdtempSync(join(tmpdir(), 'p2pt-no-node-'))
    try {
      const refused = async (reason: RegExp) =>
        assert.rejects(openStoppedNode(join(root, 'node')), (error) => {
          assert.ok(error instanceof ServiceError)
          assert.equal(error.code, 'usage')
          assert.match(error.message, /^there is no p2pt node in .*node: /)
          assert.match(error.message, reason)
          return true
        })
      await refused(/: no such directory$/)
      mkdirSync(join(root, 'node'))
      await refused(/: it has no node\.json$/)
      for (const text of ['', '{', 'null', '{"format":1}']) {
        writeFileSync(join(root, 'node/node.json'), text)
        await refused(/: its node\.json (cannot be read|does not name a node)/)
      }
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  })
})

describe('a running node', () => {
  it('answers while its projections are made again', async () => {
    const root = mkdtempSync(join(tmpdir(), 'p2pt-rebuild-'))
    const dataDirectory = join(root, 'node')
    {
      using directory = await openDataDirectory(dataDirectory, { role: 'bootstrap', joining: joiningAs('bootstrap') })
      await using log = await openLevelLog({
        directory: dataDirectory,
        signer: directory.signer,
        clock: tickingClock(),
        upcast,
      })
      const others = [signerOf(2), signerOf(3)]
      const events = Array.from({ length: 12_000 }, (_, index) =>
        foreign(
          others[index % 2] ?? signerOf(2),
          1 + (index >> 1),
          index + 1,
          EVERY_KIND.find(({ event }) => event.kind === 'piece.judged') ?? numbered(1),
        ),
      )
      await log.ingest(events)
    }
    const options = { role: 'bootstrap', dataDirectory, host: '127.0.0.1', port: 0, bootstrap: [], logLevel: 'silent' } as const
    const running = await startNode(options, new AbortController().signal)
    try {
      let over = false
      const work = resultOf(running.node.rebuild({})).finally(() => {
        over = true
      })
      let answers = 0
      while (!over) {
        assert.equal((await running.node.scores()).length, 1)
        answers += 1
        await setImmediate()
      }
      const { projections } = await work
      assert.ok(answers > 10, `${answers} answers`)
      for (const { name, events, digestBefore, digestAfter } of projections) {
        assert.ok(events >= 12_000)
        assert.equal(digestAfter, digestBefore, name)
      }
    } finally {
      await running[Symbol.asyncDispose]()
      rmSync(root, { recursive: true, force: true })
    }
  })
})
