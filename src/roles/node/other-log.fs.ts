import { createHash } from 'node:crypto'
import { upcastSteps } from '../../../migrations/index.ts'
import {
  BodyError,
  decodeGenesis,
  type Envelope,
  type JoinedNetwork,
  KINDS,
  type LogView,
  type NetworkId,
  type NodeId,
  networkIdOf,
  PayloadError,
  readableEvent,
  type ScannedBody,
  type SignedEvent,
  scanBody,
  toHex,
  upcaster,
} from '../../events/index.ts'
import { sha256, verifierOf } from '../../events/keys/signer.sodium.ts'
import { type AdmissionsState, admissionsProjection } from '../../projections/index.ts'
import { REPUTATION_KINDS } from '../../projections/reputation/index.ts'
import { ServiceError } from '../services.ts'
import { readEventFile } from './event-file.fs.ts'
import type { WalkOptions } from './walk-log.ts'

// What another node's log says of peers, from a bundle of it. Nobody's word is taken: each event that this node does not hold byte
// for byte has its signature checked.

const ADMISSION_KINDS = ['node.admitted', 'access.revoked'] as const
const NUMBERS: ReadonlySet<number> = new Set([...REPUTATION_KINDS, ...ADMISSION_KINDS].map((kind) => KINDS[kind].number))

/** Events of a bundle that are looked at: as many as a table of verdicts takes. */
const EVENTS_MAX = 4_000_000

const upcast = upcaster(upcastSteps)

/** A bundle of another node of the same network. Each reading is one walk through its file; the first one checks every event. */
export class OtherLog {
  readonly author: NodeId
  readonly #file: string
  readonly #joined: JoinedNetwork
  readonly #own: Pick<LogView, 'seqOf' | 'readSignedAt'>
  /** Of all that was read at first: what was checked then is what is read again. */
  #checked: string | undefined

  private constructor(file: string, author: NodeId, joined: JoinedNetwork, own: Pick<LogView, 'seqOf' | 'readSignedAt'>) {
    this.#file = file
    this.author = author
    this.#joined = joined
    this.#own = own
  }

  /** @throws ServiceError `usage` if it is no bundle, `damaged` if it is not whole or of another network */
  static async open(file: string, joined: JoinedNetwork, own: Pick<LogView, 'seqOf' | 'readSignedAt'>): Promise<OtherLog> {
    let author: NodeId | undefined
    let network: NetworkId | undefined
    const onAuthor = (id: NodeId) => {
      author = id
    }
    const onGenesis = (genesis: Uint8Array) => {
      network = networkIdOf(genesis, sha256)
    }
    for await (const _ of readEventFile(file, { allowPartial: true, onAuthor, onGenesis })) break
    if (author === undefined)
      throw new ServiceError('usage', `${file} does not say whose log it is: make it with \`p2pt log export --format bundle\``)
    if (network !== joined.network)
      throw new ServiceError('damaged', `the events in ${file} are of another network than this node`)
    return new OtherLog(file, author, joined, own)
  }

  /** Who is admitted, as that node knows; folded by `read`. */
  newAdmissions(): { state: AdmissionsState; take(envelope: Envelope): void } {
    const { owner } = decodeGenesis(this.#joined.genesis)
    const projection = admissionsProjection(owner, verifierOf(this.#joined.network))
    const state = projection.initial()
    return { state, take: (envelope) => void projection.apply(state, envelope) }
  }

  /**
   * Calls `visit` for each event from which reputation or admission follows, in the order of that log.
   * @throws ServiceError `damaged` for an event that is forged or cannot be read, `failed` for too many, or a file that is another
   *   than at the first reading: what was visited by then counts for nothing
   */
  async read(visit: (envelope: Envelope) => void, { turns, signal }: WalkOptions): Promise<void> {
    const verify = verifierOf(this.#joined.network)
    const isFirst = this.#checked === undefined
    const hash = createHash('sha256')
    let seq = 0
    for await (const batch of readEventFile(this.#file)) {
      const wanted: { seq: number; event: SignedEvent; scanned: ScannedBody }[] = []
      for (const event of batch) {
        seq += 1
        hash.update(`${event.body.length}:`).update(event.body)
        const scanned = this.#scanned(event, seq)
        if (NUMBERS.has(scanned.kind)) wanted.push({ seq, event, scanned })
      }
      if (seq > EVENTS_MAX) throw new ServiceError('failed', `${this.#file} has more than ${EVENTS_MAX} events`)
      const held = isFirst ? await this.#held(wanted.map(({ scanned }) => scanned)) : []
      for (const [index, { seq: at, event, scanned }] of wanted.entries()) {
        const isHeld = !isFirst || isSame(held[index], event)
        if (!isHeld && !verify('event', event.body, event.signature, scanned.author))
          throw this.#refused(scanned, at, 'is forged, or of another network: its signature is not its author’s')
        const { payload, ...header } = scanned
        const read = this.#readable(scanned, at)
        // A bundle of somebody else may hold what its node kept to itself: no other node's private events.
        if (scanned.stream === 'local' && scanned.author !== this.author)
          throw this.#refused(scanned, at, 'is private to another node')
        visit({ ...header, seq: at, payloadBytes: payload.length, event: read } as Envelope)
        if (turns.isOver) {
          await turns.next()
          signal?.throwIfAborted()
        }
      }
      signal?.throwIfAborted()
    }
    const digest = toHex(hash.digest())
    this.#checked ??= digest
    if (digest !== this.#checked) throw new ServiceError('failed', `${this.#file} was changed while it was read`)
  }

  async #held(ids: readonly ScannedBody[]): Promise<(SignedEvent | undefined)[]> {
    const seqs = ids.map((id) => this.#own.seqOf(id))
    const known = seqs.filter((seq) => seq !== undefined)
    const signed = known.length === 0 ? [] : await this.#own.readSignedAt(known)
    let next = 0
    return seqs.map((seq) => (seq === undefined ? undefined : signed[next++]))
  }

  #scanned({ body }: SignedEvent, seq: number): ScannedBody {
    try {
      return scanBody(body)
    } catch (cause) {
      if (!(cause instanceof BodyError)) throw cause
      throw new ServiceError('damaged', `event ${seq} of ${this.#file} is no event (${cause.message})`, { cause })
    }
  }

  #readable(scanned: ScannedBody, seq: number): Envelope['event'] {
    try {
      return readableEvent(scanned, upcast, 'stored')
    } catch (cause) {
      if (!(cause instanceof PayloadError)) throw cause
      throw this.#refused(scanned, seq, `cannot be read (${cause.message})`)
    }
  }

  #refused({ author, stream, authorSeq }: ScannedBody, seq: number, why: string): ServiceError {
    const name = `event ${seq} of ${this.#file} (number ${authorSeq} of ${author.slice(0, 16)} in its ${stream} stream)`
    return new ServiceError('damaged', `${name} ${why}`)
  }
}

const isSame = (held: SignedEvent | undefined, { body }: SignedEvent): boolean =>
  held !== undefined && Buffer.compare(held.body, body) === 0
