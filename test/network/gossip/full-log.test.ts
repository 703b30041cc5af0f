import assert from 'node:assert/strict'
import {
  type Event,
  type EventLog,
  type InfoHash,
  type Lamport,
  LogError,
  type Millis,
  signEvent,
} from '../../../src/events/index.ts'
import { openMemoryLog } from '../../../src/events/log/event-log.memory.ts'
import { PullPause } from '../../../src/network/gossip/pull-pause.ts'
import { createOverlay } from '../../../src/network/runtime.ts'
import { MemoryNetwork } from '../../../src/network/transport.memory.ts'
import { decodeWire } from '../../../src/network/wire.ts'
import { noUpcast, signerOf } from '../../events/samples.ts'
import { verifySignature } from '../../events/test-network.ts'
import { VirtualTime } from '../../sim/virtual-time.ts'
import { OPEN_RULES } from '../open-rules.ts'

const BACKLOG = 5_000

describe('a log that takes nothing', () => {
  it('has its node pause twice as long after each attempt, up to a minute, and from the start once it was well', () => {
    const pause = new PullPause()
    const pauses = Array.from({ length: 9 }, () => {
      const forMs = pause.failed()
      assert.equal(pause.failed(), undefined, 'what was under way fails as well, and is no attempt')
      assert.ok(!pause.worked() && pause.isFailing && !pause.mayFetch(0), 'what was under way may have been taken')
      pause.over()
      return forMs
    })
    assert.deepEqual(pauses, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
    assert.ok(pause.mayFetch(5))
    pause.fetching(5)
    assert.ok(!pause.mayFetch(10_004), 'one fetch is enough to know')
    assert.ok(pause.mayFetch(10_005), 'unless it brings nothing')
    assert.ok(pause.worked())
    assert.ok(!pause.isFailing && pause.mayFetch(0))
    assert.equal(pause.failed(), 1_000)
  })

  it('is spared the same events again and again, still hears and passes on, and has all of them when there is room', async () => {
    const time = new VirtualTime()
    const counts = { fetches: 0, supplied: 0 }
    const net = new MemoryNetwork({
      ...{ clock: time, timers: time, random: () => 0.5, loss: 0, duplication: 0, discoveredLinks: 8 },
      latencyMs: () => 5,
      onMessage(_from, _to, bytes) {
        const message = decodeWire(bytes)
        if (message.type === 'fetch') counts.fetches += 1
        if (message.type === 'supply') counts.supplied += message.events.length
      },
    })
    const [me, peer, author] = [signerOf(1), signerOf(2), signerOf(3)]
    const theirs = openMemoryLog({ signer: peer, clock: time, upcast: noUpcast })
    const event: Event = { kind: 'piece.judged', subject: author.id, infoHash: '1'.repeat(40) as InfoHash, good: [], bad: [] }
    const stamped = (seq: number) => ({ lamport: seq as Lamport, authorSeq: seq, at: seq as Millis })
    await theirs.ingest(
      Array.from({ length: BACKLOG }, (_, index) => signEvent({ stream: 'gossip', event }, stamped(index + 1), author)),
    )
    const memory = openMemoryLog({ signer: me, clock: time, upcast: noUpcast })
    const disk = { isFull: true, attempts: 0 }
    const write = <T>(run: () => Promise<T>): Promise<T> => {
      if (!disk.isFull) return run()
      disk.attempts += 1
      return Promise.reject(new LogError({ code: 'LOG_WRITE_FAILED', reason: 'No space left on device' }))
    }
    const [ingest, append] = [memory.ingest.bind(memory), memory.append.bind(memory)]
    const mine: EventLog = Object.assign(memory, {
      ingest: (...given: Parameters<EventLog['ingest']>) => write(() => ingest(...given)),
      append: (...given: Parameters<EventLog['append']>) => write(() => append(...given)),
    })
    const run = async (log: EventLog, id: typeof me.id, port: number) => {
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
        transport: net.create(id, { host: '10.0.0.1', port }),
        random: () => 0.5,
        onNotice: (text) => assert.fail(text),
      })
      await time.wait(overlay.start(new AbortController().signal))
      return overlay
    }
    const overlays = [await run(theirs, peer.id, 1), await run(mine, me.id, 2)]
    await time.advance(180_000)
    assert.ok(counts.fetches <= 10, `${counts.fetches} fetches in three minutes`)
    assert.ok(counts.supplied <= 10 * 4_096, `${counts.supplied} events fetched in vain`)
    assert.ok(disk.attempts <= 100, `${disk.attempts} attempts to write`)
    assert.equal(mine.versionVector().get(author.id), undefined)
    assert.ok(overlays[1]?.status().links.length === 1)

    disk.isFull = false
    const began = time.now()
    assert.notEqual(await time.until(() => mine.versionVector().get(author.id) === BACKLOG, 90_000), undefined)
    assert.ok(time.now() - began <= 75_000)
    await Promise.all(overlays.map((overlay) => time.wait(overlay.stop())))
  })
})
