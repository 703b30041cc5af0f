import { deepEqual, equal, rejects } from 'node:assert/strict'
import { type EventLog, type SignedEvent, TRAVELLING_BODY_BYTES_MAX, type UnsignedEvent } from '../../../src/events/index.ts'
import { openMemoryLog } from '../../../src/events/log/event-log.memory.ts'
import { ImportCheck, isFor, type Receiver } from '../../../src/roles/node/import-log.ts'
import { foreign, noUpcast, numbered, signerOf, tickingClock } from '../../events/samples.ts'
import { verifySignature } from '../../events/test-network.ts'

const LAMPORT_MAX = 1_000
const [own, other] = [signerOf(1), signerOf(2)]
const LOCAL: UnsignedEvent = { stream: 'local', event: { kind: 'node.stopped', reason: 'x' } }
const published = (title: string): UnsignedEvent => ({
  stream: 'index',
  event: { kind: 'torrent.verified', infoHash: '1'.repeat(40) as never, title },
})
const joined = (credential: number): UnsignedEvent => ({
  stream: 'local',
  event: { kind: 'network.joined', genesis: new Uint8Array([1]), credential: new Uint8Array([credential]) },
})
/** Signed anew by its author after the change. */
function changed(signer: typeof own, { body }: SignedEvent, change: (body: Uint8Array) => void): SignedEvent {
  const copy = body.slice()
  change(copy)
  return { body: copy, signature: signer.sign('event', copy) }
}

describe('the check of an import', () => {
  let log: EventLog
  beforeEach(() => {
    log = openMemoryLog({ signer: own, clock: tickingClock(), upcast: noUpcast })
  })
  afterEach(() => log[Symbol.asyncDispose]())
  const begun = ({ withoutPrivate = false, to = log as Receiver } = {}) =>
    new ImportCheck(to, { verify: verifySignature, upcast: noUpcast, lamportMax: LAMPORT_MAX, withoutPrivate })
  const checked = async (events: readonly SignedEvent[], options: Parameters<typeof begun>[0] = {}) => {
    const check = begun(options)
    for (const event of events) await check.take(event)
    return check.checked
  }
  const refused = async (event: SignedEvent, sentence: string, code = 'damaged') => {
    const check = begun()
    await check.take(foreign(other, 1, 1))
    await rejects(check.take(event), { name: 'ServiceError', code, message: sentence })
  }
  const named = (signer: typeof own, authorSeq: number, stream = 'gossip') =>
    `event 2 (number ${authorSeq} of ${signer.id.slice(0, 16)} in its ${stream} stream)`
  /** An event for the gossip stream with a body of so many bytes. */
  const long = (bytes: number): SignedEvent => {
    const of = (length: number): UnsignedEvent => ({
      stream: 'local',
      event: {
        ...({ kind: 'download.described', infoHash: '1'.repeat(40) as never, name: 'x', sizeBytes: 1 } as const),
        ...{ pieceCount: 1, pieceLengthBytes: 16_384, torrentFile: new Uint8Array(length) },
      },
    })
    const event = foreign(other, 2, 2, of(bytes - (foreign(other, 2, 2, of(bytes)).body.length - bytes)))
    equal(event.body.length, bytes)
    // Version, kind and stamp have two bytes each, the author 34 and the tag of the stream one.
    return changed(other, event, (body) => body.fill(2, 41, 42))
  }

  it('counts what comes, and of that what is there', async () => {
    await log.ingest([foreign(other, 1, 1)])
    deepEqual(await checked([foreign(other, 1, 1), foreign(other, 2, 2), foreign(other, 3, 3)]), {
      ...{ events: 3, duplicates: 1, privateLeftOut: 0, own: undefined, credential: new Uint8Array() },
    })
    deepEqual(await checked([]), {
      ...{ events: 0, duplicates: 0, privateLeftOut: 0, own: undefined, credential: new Uint8Array() },
    })
  })

  it('notes the highest numbers of the receiver’s own events that it lacks, by stream; local ones are nobody else’s', async () => {
    await log.append([numbered(1)])
    const [held] = await log.readSignedAt([1])
    deepEqual((await checked([held as SignedEvent])).own, undefined)
    const events = [foreign(own, 9, 9), foreign(own, 3, 3), foreign(own, 5, 5, published('orbit')), foreign(own, 70, 7, LOCAL)]
    deepEqual((await checked(events)).own, { gossipSeq: 9, indexSeq: 5 })
    deepEqual((await checked(events.slice(2, 3))).own, { gossipSeq: 0, indexSeq: 5 })
    deepEqual((await checked(events.slice(3))).own, undefined)
    deepEqual((await checked([foreign(other, 9, 9)])).own, undefined)
  })

  it('keeps the credential that the receiver’s own events show last, and none of another node', async () => {
    const events = [foreign(own, 1, 1, joined(5)), foreign(own, 2, 2, joined(6)), foreign(own, 3, 3, LOCAL)]
    deepEqual((await checked(events)).credential, new Uint8Array([6]))
    const others = [foreign(other, 1, 1, joined(7))]
    deepEqual((await checked(others, { withoutPrivate: true })).credential, new Uint8Array())
  })

  it('takes what belongs to nobody yet into a node that gets a key of its own', async () => {
    const nobody: Receiver = { author: undefined, has: () => false, async *readSigned() {} }
    const { events, own: none } = await checked([foreign(own, 4, 4), foreign(other, 1, 1)], { to: nobody })
    deepEqual([events, none], [2, undefined])
    await rejects(checked([foreign(own, 1, 1, LOCAL)], { to: nobody }), { code: 'usage' })
  })

  it('refuses private events of another node, or leaves them out and counts them', async () => {
    await refused(
      foreign(other, 7, 7, LOCAL),
      `${named(other, 7, 'local')} is private to another node: import it into that node, or leave such events out with --without-private; nothing was imported`,
      'usage',
    )
    const events = [
      foreign(other, 7, 7, LOCAL),
      foreign(own, 1, 1, LOCAL),
      foreign(other, 8, 8, joined(1)),
      foreign(other, 1, 1),
    ]
    const { events: count, privateLeftOut } = await checked(events, { withoutPrivate: true })
    deepEqual([count, privateLeftOut], [4, 2])
    deepEqual(
      events.map((event) => isFor(own.id, event)),
      [false, true, false, true],
    )
  })

  it('refuses what its author did not sign', async () => {
    const event = foreign(other, 2, 2)
    const sentence = `${named(other, 2)} is forged, or of another network: its signature is not its author’s: nothing was imported`
    await refused({ body: event.body, signature: own.sign('event', event.body) }, sentence)
    // Also where it would be left out, or is there already.
    const hidden = foreign(other, 7, 7, LOCAL)
    await rejects(checked([{ body: hidden.body, signature: new Uint8Array(64) }], { withoutPrivate: true }), {
      code: 'damaged',
    })
    await log.ingest([event])
    await refused({ body: event.body, signature: new Uint8Array(64) }, sentence)
  })

  it('refuses bytes that are no event, and a payload that cannot be read', async () => {
    const check = begun()
    const nonsense = { body: new Uint8Array([1, 2, 3]), signature: new Uint8Array(64) }
    await rejects(check.take(nonsense), { code: 'damaged', message: /^event 1 is no event \(.+\): nothing was imported$/ })
    const event = foreign(other, 2, 2)
    // Its last byte is one of a payload that no longer ends where it says.
    const cut = changed(other, event, (body) => body.fill(255, body.length - 3))
    await rejects(begun().take(cut), { code: 'damaged', message: /^event 1 \(number 2 .*\) cannot be read \(.+\): nothing/ })
  })

  it('takes an event for others of so many bytes as travel, and not of one more; one that stays at home may be longer', async () => {
    equal((await checked([long(TRAVELLING_BODY_BYTES_MAX)])).events, 1)
    await refused(long(TRAVELLING_BODY_BYTES_MAX + 1), `${named(other, 2)} is too long: nothing was imported`)
    const atHome = foreign(own, 2, 2, {
      stream: 'local',
      event: {
        ...({ kind: 'download.described', infoHash: '1'.repeat(40) as never, name: 'x', sizeBytes: 1 } as const),
        ...{ pieceCount: 1, pieceLengthBytes: 16_384, torrentFile: new Uint8Array(TRAVELLING_BODY_BYTES_MAX) },
      },
    })
    equal((await checked([atHome])).events, 1)
  })

  it('takes every stamp that a clock can have reached, and none above', async () => {
    equal((await checked([foreign(other, 2, LAMPORT_MAX)])).events, 1)
    await refused(
      foreign(other, 2, LAMPORT_MAX + 1),
      `${named(other, 2)} has the Lamport stamp ${LAMPORT_MAX + 1}, which no clock can have reached: nothing was imported`,
    )
  })

  it('passes over a stamp above that where the log has the event already', async () => {
    await log.ingest([foreign(other, 2, LAMPORT_MAX + 1)])
    equal((await checked([foreign(other, 2, LAMPORT_MAX + 1)])).duplicates, 1)
  })

  it('refuses another event than the one that is held under its name', async () => {
    await log.ingest([foreign(other, 2, 2)])
    const sentence = `${named(other, 2)} is another than the one that the log holds: its author’s sequence has forked: nothing was imported`
    await refused(foreign(other, 2, 2, numbered(77)), sentence)
    await refused(foreign(other, 2, 300), sentence)
    await refused(
      foreign(other, 2, 2, { stream: 'gossip', event: { kind: 'node.admitted', credential: new Uint8Array(9) } }),
      sentence,
    )
  })

  it('takes the word of one that was pruned: there is nothing to compare it with', async () => {
    const pruned: Receiver = { author: own.id, has: () => true, async *readSigned() {} }
    equal((await checked([foreign(other, 2, 2)], { to: pruned })).duplicates, 1)
  })
})
