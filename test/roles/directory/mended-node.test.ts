import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { repairLog } from '../../../src/events/damage/repair-log.level.ts'
import { BOOTSTRAPS_MAX, type Event, toHex, type UnsignedEvent } from '../../../src/events/index.ts'
import { randomSeed } from '../../../src/events/keys/signer.sodium.ts'
import { openLevelLog } from '../../../src/events/log/event-log.level.ts'
import { describeDirectory, openDataDirectory } from '../../../src/roles/directory/data-directory.fs.ts'
import { mendNode } from '../../../src/roles/directory/mended-node.level.ts'
import { foreign, noUpcast, signerOf, tickingClock } from '../../events/samples.ts'
import { joiningAs, TEST_NETWORK } from '../../events/test-network.ts'

const BOOTSTRAPS = ['192.0.2.1:4700', 'boot.example:4700']
const alive = (number: number, host: string, role: 'bootstrap' | 'index' = 'bootstrap'): UnsignedEvent => ({
  stream: 'gossip',
  event: { kind: 'member.alive', subject: signerOf(number).id, incarnation: 1, role, host, port: 4700, dhtPort: 4701 },
})

describe('a node.json that is made again', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-mended-'))
  after(() => rmSync(root, { recursive: true }))
  let copies = 0

  /** A data directory whose log has these own events, and hears of members. */
  async function made(
    name: string,
    own: (joined: { genesis: Uint8Array; credential: Uint8Array }) => Event[],
  ): Promise<string> {
    const directory = join(root, name)
    const joining = { ...joiningAs('index'), bootstraps: BOOTSTRAPS }
    using data = await openDataDirectory(directory, { role: 'index', joining })
    await using log = await openLevelLog({ directory, signer: data.signer, clock: tickingClock(), upcast: noUpcast })
    const events = own(data.joined)
    if (events.length > 0) await log.append(events.map((event) => ({ event })))
    await log.ingest([
      foreign(signerOf(2), 1, 10, alive(2, '192.0.2.7')),
      foreign(signerOf(3), 1, 11, alive(3, '192.0.2.8', 'index')),
      foreign(signerOf(3), 2, 12, alive(4, '192.0.2.9')),
      foreign(signerOf(2), 2, 13, alive(2, '192.0.2.10')),
    ])
    return directory
  }
  const started = (role: 'index' | 'client'): Event => ({ kind: 'node.started', role, software: 'p2pt/0.1.0', incarnation: 1 })
  let whole: string
  before(async () => {
    whole = await made('whole', ({ genesis, credential }) => [
      started('client'),
      { kind: 'network.joined', genesis, credential: new Uint8Array([1]) },
      started('index'),
      { kind: 'network.joined', genesis, credential },
    ])
  })
  const copy = (of = whole): string => {
    const directory = join(root, `copy-${copies++}`)
    cpSync(of, directory, { recursive: true })
    return directory
  }
  const nodeFile = (directory: string) => join(directory, 'node.json')
  const altered = (change: (node: Record<string, unknown>) => object) => (path: string) =>
    writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>)))
  const mend = (directory: string) => mendNode(directory, noUpcast)

  /** Heard of in the log: the one bootstrap that spoke for itself, where it was last. */
  const HEARD = ['192.0.2.10:4700']
  const DAMAGES: readonly [string, (path: string) => void, readonly string[], RegExp][] = [
    ['is empty', (path) => truncateSync(path, 0), HEARD, /cannot be read/],
    ['is cut before its bootstraps', (path) => truncateSync(path, 40), HEARD, /cannot be read/],
    ['is cut at its end', (path) => truncateSync(path, readFileSync(path).length - 10), BOOTSTRAPS, /cannot be read/],
    ['is full of zeroes', (path) => writeFileSync(path, new Uint8Array(512)), HEARD, /cannot be read/],
    ['says nothing', (path) => writeFileSync(path, 'null'), HEARD, /does not name a node/],
    ['is gone', (path) => rmSync(path), HEARD, /it has no node\.json/],
    ['has another role', altered((node) => ({ ...node, role: 'inder' })), BOOTSTRAPS, /does not name a node/],
    ['has no genesis', altered(({ genesis: _, ...rest }) => rest), BOOTSTRAPS, /does not name a node/],
    ['has another network', altered((node) => ({ ...node, network: '0'.repeat(64) })), BOOTSTRAPS, /does not name a node/],
    ['has another id', altered((node) => ({ ...node, id: signerOf(9).id })), BOOTSTRAPS, /another node than its key/],
  ]
  for (const [what, damage, bootstraps, sentence] of DAMAGES) {
    it(`where it ${what}, from the key and the log`, async () => {
      const directory = copy()
      const { genesis, credential, ...known } = describeDirectory(directory)
      damage(nodeFile(directory))
      const mended = await mend(directory)
      assert.match(mended?.damage ?? '', sentence)
      assert.deepEqual(mended?.bootstraps, bootstraps)
      const after = describeDirectory(directory)
      assert.deepEqual(
        { ...after, genesis: toHex(after.genesis), credential: toHex(after.credential) },
        {
          ...{ ...known, bootstraps },
          ...{ genesis: toHex(genesis), credential: toHex(credential) },
        },
      )
      assert.equal(await mend(directory), undefined, 'it is whole now')
      ;(await openDataDirectory(directory, { role: 'index' }))[Symbol.dispose]()
    })
  }

  it('with the bootstraps that spoke last, as many as a join string has room for', async () => {
    const directory = copy()
    {
      using data = await openDataDirectory(directory, { role: 'index' })
      await using log = await openLevelLog({ directory, signer: data.signer, clock: tickingClock(), upcast: noUpcast })
      const heard = Array.from({ length: BOOTSTRAPS_MAX }, (_, at) => alive(20 + at, `198.51.100.${at}`))
      await log.ingest(heard.map((event, at) => foreign(signerOf(20 + at), 1, 20 + at, event)))
      // It was the first of them, and is the last now.
      await log.ingest([foreign(signerOf(20), 2, 90, alive(20, '198.51.100.99'))])
    }
    rmSync(nodeFile(directory))
    const hosts = [...Array.from({ length: BOOTSTRAPS_MAX - 1 }, (_, at) => at + 1), 99]
    assert.deepEqual(
      (await mend(directory))?.bootstraps,
      hosts.map((last) => `198.51.100.${last}:4700`),
    )
  })

  const notMended = async (directory: string) => {
    const before = readFileSync(nodeFile(directory), 'utf8')
    assert.equal(await mend(directory), undefined)
    assert.equal(readFileSync(nodeFile(directory), 'utf8'), before, 'it is left as it is')
  }

  it('but not where it is whole, or there never was a node', async () => {
    await notMended(copy())
    assert.equal(await mend(join(root, 'absent')), undefined)
  })

  it('but not where the log does not say enough: then it is joined anew', async () => {
    const directory = await made('silent', () => [])
    truncateSync(nodeFile(directory), 40)
    await notMended(directory)
    assert.throws(
      () => describeDirectory(directory),
      /cannot be read .*: a start, or .*; else start the node once with --join STRING$/,
    )
    ;(await openDataDirectory(directory, { role: 'index', joining: joiningAs('index') }))[Symbol.dispose]()
    assert.equal(describeDirectory(directory).role, 'index')
  })

  it('but not for a key that is not the log’s', async () => {
    for (const damage of [() => {}, (path: string) => truncateSync(path, 40)]) {
      const directory = copy()
      writeFileSync(join(directory, 'key.seed'), randomSeed())
      damage(nodeFile(directory))
      await notMended(directory)
    }
  })

  it('but not from a log that is damaged: that is repaired first', async () => {
    const directory = copy()
    truncateSync(nodeFile(directory), 40)
    rmSync(join(directory, 'log/CURRENT'))
    await notMended(directory)
  })

  it('but by joining again where the log is damaged too, and then the log can be repaired', async () => {
    const directory = copy()
    const { id } = describeDirectory(directory)
    truncateSync(nodeFile(directory), 40)
    rmSync(join(directory, 'log/CURRENT'))
    {
      using data = await openDataDirectory(directory, { role: 'index', joining: joiningAs('index') })
      const opened = openLevelLog({ directory, signer: data.signer, clock: tickingClock(), upcast: noUpcast })
      await assert.rejects(opened, { name: 'LogError', code: 'LOG_DAMAGED' })
    }
    assert.equal(describeDirectory(directory).id, id)
    const { after } = await repairLog(directory, { author: id, network: TEST_NETWORK })
    assert.deepEqual([after.intact, after.events], [true, 8])
  })

  it('but not under a node that runs', async () => {
    const directory = copy()
    using _running = await openDataDirectory(directory, { role: 'index' })
    truncateSync(nodeFile(directory), 40)
    await assert.rejects(mend(directory), { name: 'LogError', code: 'LOG_LOCKED' })
  })
})
