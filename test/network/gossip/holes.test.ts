import assert from 'node:assert/strict'
import type { Event, EventLog, InfoHash, Lamport, Millis, SignedEvent, Signer } from '../../../src/events/index.ts'
import { scanBody, signEvent, toHex } from '../../../src/events/index.ts'
import { openMemoryLog } from '../../../src/events/log/event-log.memory.ts'
import { createOverlay } from '../../../src/network/runtime.ts'
import { MemoryNetwork } from '../../../src/network/transport.memory.ts'
import { noUpcast, signerOf } from '../../events/samples.ts'
import { verifySignature } from '../../events/test-network.ts'
import { VirtualTime } from '../../sim/virtual-time.ts'
import { OPEN_RULES } from '../open-rules.ts'

/** Events of one author's gossip stream, numbered from 1. */
function eventsOf(signer: Signer, count: number): SignedEvent[] {
  return Array.from({ length: count }, (_, index) => {
    const event: Event = {
      kind: 'piece.judged',
      subject: signer.id,
      infoHash: (index + 1).toString(16).padStart(40, '0') as InfoHash,
      good: [],
      bad: [],
    }
    const stamp = { lamport: (index + 1) as Lamport, authorSeq: index + 1, at: (1_800_000_000_000 + index) as Millis }
    return signEvent({ stream: 'gossip', event }, stamp, signer)
  })
}

describe('holes in a log', () => {
  const time = new VirtualTime()
  const stopping: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const stop of stopping.splice(0)) await time.wait(stop())
  })

  const network = () =>
    new MemoryNetwork({
      ...{ clock: time, timers: time, random: () => 0.5, loss: 0, duplication: 0, discoveredLinks: 8 },
      latencyMs: () => 5,
      onMessage: () => {},
    })

  const logOf = (signer: Signer): EventLog => openMemoryLog({ signer, clock: time, upcast: noUpcast })

  async function run(net: MemoryNetwork, log: EventLog, port: number): Promise<void> {
    const overlay = createOverlay({
      ...{
        role: 'index',
        software: 'test',
        incarnation: 1,
        log,
        appender: log,
        verify: verifySignature,
        rules: OPEN_RULES,
        clock: time,
        timers: time,
      },
      transport: net.create(log.author, { host: '10.0.0.1', port }),
      random: () => 0.5,
      onNotice: (text) => assert.fail(text),
    })
    stopping.push(() => overlay.stop())
    await time.wait(overlay.start(new AbortController().signal))
  }

  it('are filled by a peer, also those of the node itself, which goes on above them', async () => {
    const [me, peer, other] = [signerOf(1), signerOf(2), signerOf(3)]
    const [mine, others] = [eventsOf(me, 60), eventsOf(other, 60)]
    const [a, b] = [logOf(me), logOf(peer)]
    await b.ingest([...mine, ...others])
    const isLost = (_: unknown, index: number) => index >= 20 && index < 40
    await a.ingest([...mine, ...others].filter((event, index) => !isLost(event, index % 60)))
    assert.equal(a.versionVector().get(me.id), 20)
    const net = network()
    await run(net, a, 1)
    await run(net, b, 2)
    const whole = () => (a.versionVector().get(other.id) ?? 0) >= 60 && (a.versionVector().get(me.id) ?? 0) >= 60
    assert.notEqual(await time.until(whole, 30_000), undefined)
    const back: SignedEvent[] = []
    for await (const event of a.readSigned(me.id, 'gossip', 1, 60)) back.push(event)
    assert.deepEqual(
      back.map(({ body }) => toHex(body)),
      mine.map(({ body }) => toHex(body)),
    )
    // What the overlay said of its own start is above all of them.
    for await (const { author, stream, authorSeq, event } of a.read({ from: a.head - 5 })) {
      if (author === me.id && stream === 'gossip' && event.kind === 'member.alive') assert.ok(authorSeq > 60)
    }
  })

  /** A log as one that has pruned the author's events 6 to 50. */
  const prunedLog = (log: EventLog, author: Signer): EventLog => {
    const isGone = (authorSeq: number) => authorSeq >= 6 && authorSeq <= 50
    return new Proxy(log, {
      get(target, name) {
        if (name === 'pruned') return () => [{ from: 6, to: 50 }]
        if (name === 'readSigned')
          return async function* (...[by, stream, from, to]: Parameters<EventLog['readSigned']>) {
            for await (const event of target.readSigned(by, stream, from, to))
              if (by !== author.id || !isGone(scanBody(event.body).authorSeq)) yield event
          }
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  it('that peers have pruned are passed over, and what came after them arrives', async () => {
    const author = signerOf(9)
    const events = eventsOf(author, 60)
    const net = network()
    const [first, second, late] = [logOf(signerOf(1)), logOf(signerOf(2)), logOf(signerOf(3))]
    for (const log of [first, second]) await log.ingest(events)
    await run(net, prunedLog(first, author), 1)
    await run(net, prunedLog(second, author), 2)
    await run(net, late, 3)
    const whole = () => late.has({ author: author.id, stream: 'gossip', authorSeq: 60 })
    assert.notEqual(await time.until(whole, 60_000), undefined)
    const held: number[] = []
    for await (const { author: by, authorSeq } of late.read()) if (by === author.id) held.push(authorSeq)
    assert.deepEqual(
      held.sort((a, b) => a - b),
      [1, 2, 3, 4, 5, ...Array.from({ length: 10 }, (_, index) => 51 + index)],
    )
    assert.equal(late.versionVector().get(author.id), 5, 'the log itself says what it holds')
  })
})
