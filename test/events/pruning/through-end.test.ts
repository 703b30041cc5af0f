import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { verifyLog } from '../../../src/events/damage/verify-log.fs.ts'
import type { InfoHash, NodeId, SignedEvent, UnsignedEvent } from '../../../src/events/index.ts'
import { openLevelLog } from '../../../src/events/log/event-log.level.ts'
import { foreign, noUpcast, numbered, signerOf, tickingClock } from '../samples.ts'
import { TEST_NETWORK } from '../test-network.ts'

const ME = signerOf(1)
const OTHERS = [signerOf(2), signerOf(3)] as const
const published: UnsignedEvent = {
  stream: 'index',
  event: {
    ...{ kind: 'torrent.published', infoHash: 'ab'.repeat(20) as InfoHash, title: 'orbit' },
    ...{ sizeBytes: 1, fileCount: 1, tags: [] },
  },
}

type Step =
  | { do: 'append'; count: number }
  | { do: 'ingest'; by: number; count: number }
  | { do: 'prune'; by: number }
  | { do: 'reopen' }

describe('pruning through the end of a log', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-through-end-'))
  let directories = 0
  after(() => rmSync(root, { recursive: true }))

  const count = fc.constantFrom(1, 2, 3, 20, 63, 64, 65, 130)
  const by = fc.nat(1)
  const steps: fc.Arbitrary<Step[]> = fc.array(
    fc.oneof(
      { arbitrary: fc.record({ do: fc.constant('append' as const), count }), weight: 2 },
      { arbitrary: fc.record({ do: fc.constant('ingest' as const), by, count }), weight: 4 },
      { arbitrary: fc.record({ do: fc.constant('prune' as const), by }), weight: 2 },
      { arbitrary: fc.constant({ do: 'reopen' as const }), weight: 1 },
    ),
    { minLength: 3, maxLength: 16 },
  )

  it('takes out just what was meant, wherever it stands, and the log goes on and is whole', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (story) => {
        const directory = join(root, String(directories++))
        const open = () => openLevelLog({ directory, signer: ME, clock: tickingClock(), upcast: noUpcast, create: true })
        let log = await open()
        const next = new Map<NodeId, number>()
        const said: SignedEvent[] = []
        let [held, pruned, head]: [{ seq: number; author: NodeId }[], number, number] = [[], 0, 0]
        const note = (author: NodeId, events: number) => {
          for (let place = 0; place < events; place++) held.push({ seq: ++head, author })
        }
        const look = async () => {
          const found: typeof held = []
          for await (const { seq, author } of log.read()) found.push({ seq, author })
          assert.deepEqual(found, held)
          assert.equal(log.head, head)
          assert.ok((await log.ingest(said)).every(({ outcome }) => outcome === 'duplicate'))
        }
        for (const step of story) {
          if (step.do === 'append') {
            await log.append(Array.from({ length: step.count }, (_, place) => numbered(place)))
            note(ME.id, step.count)
          } else if (step.do === 'ingest') {
            const signer = OTHERS[step.by] ?? ME
            const from = next.get(signer.id) ?? 0
            next.set(signer.id, from + step.count)
            const events = Array.from({ length: step.count }, (_, place) =>
              foreign(signer, from + place + 1, from + place + 1, published),
            )
            said.push(...events)
            await log.ingest(events)
            note(signer.id, step.count)
          } else if (step.do === 'prune') {
            const author = (OTHERS[step.by] ?? ME).id
            const { events } = await log.prune({
              ...{ to: log.head, kinds: ['torrent.published'], throughEnd: true },
              drop: (envelope) => envelope.author === author,
            })
            const left = held.filter((one) => one.author !== author)
            assert.equal(events, held.length - left.length)
            pruned += events
            held = left
            await look()
          } else {
            await log[Symbol.asyncDispose]()
            log = await open()
          }
        }
        await look()
        const { headDigest } = await log.verify()
        await log[Symbol.asyncDispose]()
        const verdict = await verifyLog(directory, { signaturesOf: TEST_NETWORK })
        assert.deepEqual(
          [verdict.ranges, verdict.problems, verdict.events, verdict.pruned, verdict.headDigest],
          [[], [], held.length, pruned, headDigest],
        )
      }),
      { numRuns: 10 },
    )
  }).timeout(120_000)
})
