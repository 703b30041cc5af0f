import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Event, InfoHash, Lamport, Millis, NodeId, NodeRole, SignedEvent } from '../../src/events/index.ts'
import { signEvent } from '../../src/events/index.ts'
import { openLevelLog } from '../../src/events/log/event-log.level.ts'
import { startNode } from '../../src/roles/compose.ts'
import { openDataDirectory } from '../../src/roles/directory/data-directory.fs.ts'
import type { RunningNode, StartOptions } from '../../src/roles/start.ts'
import { noUpcast, signerOf, tickingClock } from '../events/samples.ts'
import { joiningAs } from '../events/test-network.ts'
import { until } from './until.ts'

const EVENTS = 3_000
const author = signerOf(7)

/** Words of a client that everybody takes. */
function words(): SignedEvent[] {
  const says = (event: Event, authorSeq: number): SignedEvent =>
    signEvent(
      { stream: 'gossip', event },
      { lamport: authorSeq as Lamport, authorSeq, at: 1_700_000_000_000 as Millis },
      author,
    )
  const shown = says({ kind: 'node.admitted', credential: joiningAs('client').credentialOf(author.id) }, 1)
  const verdicts = Array.from({ length: EVENTS - 1 }, (_, index) => {
    const subject = index.toString(16).padStart(64, '0') as NodeId
    const infoHash = index.toString(16).padStart(40, '0') as InfoHash
    return says({ kind: 'piece.judged', subject, infoHash, good: [{ first: index, count: 1 }], bad: [] }, index + 2)
  })
  return [shown, ...verdicts]
}

describe('a node that is started on damaged tables', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-tables-'))
  const at = (name: string): string => join(root, name)
  const joining = { bootstrap: joiningAs('bootstrap'), index: joiningAs('index') }
  let bootstrap: RunningNode
  let entry: StartOptions['bootstrap'][number]

  const start = (role: 'bootstrap' | 'index', name: string, more: Partial<StartOptions> = {}): Promise<RunningNode> => {
    const place = { dataDirectory: at(name), host: '127.0.0.1', port: 0, logLevel: 'silent', bootstrap: [] } as const
    return startNode({ role: role as NodeRole, joining: joining[role], ...place, ...more }, new AbortController().signal)
  }
  const heard = async (node: RunningNode): Promise<number> => {
    let count = 0
    for await (const row of node.node.events({ author: author.id })) if (row.stream === 'gossip') count++
    return count
  }
  const told = async (node: RunningNode): Promise<string> => {
    for await (const notice of node.node.notices({ last: 200 })) if (notice.code === 'log.mended') return notice.text
    return ''
  }
  const table = (): string => {
    const log = join(at('node'), 'log')
    const paths = readdirSync(log)
      .filter((name) => name.endsWith('.ldb'))
      .map((name) => join(log, name))
    return paths.sort((a, b) => statSync(b).size - statSync(a).size)[0] ?? assert.fail('no table')
  }
  const spoil = (change: (bytes: Buffer) => void): void => {
    const path = table()
    const bytes = readFileSync(path)
    change(bytes)
    writeFileSync(path, bytes)
  }

  before(async () => {
    {
      using directory = await openDataDirectory(at('bootstrap'), { role: 'bootstrap', joining: joining.bootstrap })
      const options = { directory: directory.directory, signer: directory.signer, clock: tickingClock(), upcast: noUpcast }
      await using log = await openLevelLog(options)
      await log.ingest(words())
    }
    bootstrap = await start('bootstrap', 'bootstrap')
    entry = (await bootstrap.node.status()).endpoint ?? assert.fail('no endpoint')
    // The second start brings to a table what the first one has learnt.
    for (let count = 0; count < 2; count++) {
      await using node = await start('index', 'node', { bootstrap: [entry] })
      await until('all is heard', async () => (await heard(node)) === EVENTS)
    }
  })
  after(async () => {
    await bootstrap[Symbol.asyncDispose]()
    rmSync(root, { recursive: true, force: true })
  })

  it('says so of each of twenty flipped bits, goes on, and has lost nothing', async () => {
    for (let round = 0; round < 20; round++) {
      spoil((bytes) => {
        const place = Math.floor(((round + 0.5) / 20) * bytes.length)
        bytes[place] = (bytes[place] ?? 0) ^ (1 << (round % 8))
      })
      await using node = await start('index', 'node', { bootstrap: [entry] })
      assert.match(
        await told(node),
        /^the log was damaged \(.*\) and has been repaired: nothing is lost; the damaged files are in/,
      )
      assert.equal(await heard(node), EVENTS)
    }
  }).timeout(60_000)

  it('goes on where it was killed in the midst of that', async () => {
    spoil((bytes) => bytes.fill(0, bytes.length >> 1, (bytes.length >> 1) + 16))
    await (await start('index', 'node', { bootstrap: [entry] }))[Symbol.asyncDispose]()
    // As it was between two steps: the damaged files are moved, and the new ones are not yet in their place.
    const kept = readdirSync(at('node'))
      .filter((name) => name.startsWith('damaged-'))
      .sort((a, b) => Number(a.slice(8)) - Number(b.slice(8)))
      .at(-1)
    renameSync(join(at('node'), kept ?? assert.fail('nothing was kept')), join(at('node'), 'damaged.part'))
    renameSync(join(at('node'), 'log'), join(at('node'), 'log.repaired'))
    await using node = await start('index', 'node', { bootstrap: [entry] })
    assert.match(await told(node), /^the log was damaged \(.*\) and has been repaired/)
    await until('what was gone is back', async () => (await heard(node)) === EVENTS)
    assert.ok(readdirSync(at('node')).every((name) => name !== 'log.repaired' && name !== 'damaged.part'))
  }).timeout(30_000)

  it('is whole again from its peers where bytes are gone', async () => {
    spoil((bytes) => bytes.fill(0, bytes.length >> 1, (bytes.length >> 1) + 4_096))
    await using node = await start('index', 'node', { bootstrap: [entry] })
    assert.match(await told(node), /repaired: \d+ events are gone, and peers are asked for them/)
    assert.ok((await heard(node)) >= EVENTS - 60)
    await until('what was gone is back', async () => (await heard(node)) === EVENTS)
  }).timeout(30_000)
})
