import {
  compareCanonically,
  type Envelope,
  type EventOf,
  isMemberAddress,
  type Millis,
  NO_ADDRESS,
  type NodeId,
  type NodeRole,
} from '../../events/index.ts'
import { canonicalJson } from '../canonical-json.ts'
import { DirtyKeys } from '../dirty-keys.ts'
import type { Projection } from '../projection.ts'
import {
  type Claim,
  isUnaccused,
  knowsBetter,
  MEMBER_KINDS,
  type MemberKind,
  type MemberState,
  NO_WORDS,
  type RoundTrips,
  type Stamp,
  stampOf,
  strongest,
  type Whereabouts,
  type Word,
  type Words,
  withWord,
  wordOf,
} from './member.ts'

// Who is alive, as a fold. Every field is the best of a set of words under a total order, so nodes that hold the same
// events have the same table, whatever order they came in. Round trips are each node's own.

type Entry = { words: Words; whereabouts: Whereabouts | undefined; roundTrips: RoundTrips | undefined }

/** As it is stored. */
type Row = {
  own: Word | null
  others: readonly Claim[]
  whereabouts: Whereabouts | null
  roundTrips: RoundTrips | null
}

export type LivenessState = {
  readonly entries: Map<NodeId, Entry>
  /** Highest incarnation that this node started with; 0 before its first start. */
  ownIncarnation: number
  /** Members that say they are alive, and of whom nobody says otherwise. Follows from `entries`. */
  readonly unaccused: Set<NodeId>
  readonly dirty: DirtyKeys
}

export type Member = {
  readonly id: NodeId
  readonly role: NodeRole
  readonly host: string
  readonly port: number
  readonly dhtPort: number
  readonly state: MemberState
  readonly incarnation: number
  /** Stamp and claimed time of the event that brought it into this state. */
  readonly sinceLamport: number
  readonly sinceAt: Millis
  readonly byWord: NodeId
  readonly roundTrips: Omit<RoundTrips, 'by'> | undefined
}

const OWN_ROW = 'own'
/** What others say of a node that has said nothing itself is not to use up its numbers. */
const BELIEVED_MAX = 2 ** 40

const newState = (): LivenessState => ({
  entries: new Map(),
  ownIncarnation: 0,
  unaccused: new Set(),
  dirty: new DirtyKeys(),
})

/** True if somebody besides the accuser is there, who could see for himself. */
const otherWitness =
  ({ unaccused }: LivenessState) =>
  (accuser: NodeId): boolean =>
    unaccused.size > (unaccused.has(accuser) ? 1 : 0)

function setWords(state: LivenessState, id: NodeId, entry: Entry, words: Words): void {
  entry.words = words
  if (isUnaccused(words)) state.unaccused.add(id)
  else state.unaccused.delete(id)
}

function entryOf(state: LivenessState, id: NodeId): Entry {
  let entry = state.entries.get(id)
  if (entry === undefined) {
    entry = { words: NO_WORDS, whereabouts: undefined, roundTrips: undefined }
    state.entries.set(id, entry)
  }
  return entry
}

function foldMember(state: LivenessState, envelope: Envelope, event: EventOf<MemberKind>): void {
  // Leaving politely and refuting are things only the member itself can say.
  if ((event.kind === 'member.left' || event.kind === 'member.refuted') && envelope.author !== event.subject) return
  const entry = entryOf(state, event.subject)
  const word = wordOf(envelope, event)
  const words = withWord(entry.words, event.subject, word)
  let isNew = words !== entry.words
  if (isNew) setWords(state, event.subject, entry, words)
  const { role, host, port, dhtPort, incarnation } = event
  const whereabouts: Whereabouts = { role, host, port, dhtPort, incarnation, by: word.by }
  if (entry.whereabouts === undefined || knowsBetter(event.subject, whereabouts, entry.whereabouts)) {
    entry.whereabouts = whereabouts
    isNew = true
  }
  if (isNew) state.dirty.add(event.subject)
}

function foldRollUp(state: LivenessState, envelope: Envelope, event: EventOf<'heartbeat.rolled-up'>): void {
  const entry = entryOf(state, event.subject)
  const by = stampOf(envelope)
  if (entry.roundTrips !== undefined && compareCanonically(entry.roundTrips.by, by) > 0) return
  entry.roundTrips = {
    microsMin: event.roundTripMicrosMin,
    microsMedian: event.roundTripMicrosMedian,
    microsMax: event.roundTripMicrosMax,
    beatsSeen: event.beatsSeen,
    beatsMissed: event.beatsMissed,
    lastAt: event.lastAt,
    by,
  }
  state.dirty.add(event.subject)
}

function apply(own: NodeId, state: LivenessState, envelope: Envelope): LivenessState {
  const { event } = envelope
  switch (event.kind) {
    case 'member.alive':
    case 'member.suspect':
    case 'member.dead':
    case 'member.refuted':
    case 'member.left':
      foldMember(state, envelope, event)
      if (event.subject === own && envelope.author === own) raiseOwn(state, event.incarnation)
      break
    case 'heartbeat.rolled-up':
      if (envelope.author === own) foldRollUp(state, envelope, event)
      break
    case 'node.started':
      if (envelope.author === own) raiseOwn(state, event.incarnation)
      break
  }
  return state
}

function raiseOwn(state: LivenessState, incarnation: number): void {
  if (incarnation <= state.ownIncarnation) return
  state.ownIncarnation = incarnation
  state.dirty.add(OWN_ROW)
}

function rowOf(state: LivenessState, key: string): string | null {
  if (key === OWN_ROW) return state.ownIncarnation === 0 ? null : canonicalJson({ incarnation: state.ownIncarnation })
  const entry = state.entries.get(key as NodeId)
  if (entry === undefined) return null
  const { words, whereabouts = null, roundTrips = null } = entry
  return canonicalJson({ own: words.own ?? null, others: words.others, whereabouts, roundTrips })
}

/** Rows are older than the rules: an address that may not be dialled reads as the log reads it, as none. */
const readable = (stored: Whereabouts): Whereabouts => (isMemberAddress(stored) ? stored : { ...stored, ...NO_ADDRESS })

/** The projection of node `own`: a node's own starts and round trips are taken from its own events alone. */
export const livenessProjection = (own: NodeId): Projection<LivenessState> => ({
  name: 'liveness',
  version: 4,
  handles: [...MEMBER_KINDS, 'heartbeat.rolled-up', 'node.started'],
  initial: newState,
  apply: (state, envelope) => apply(own, state, envelope),
  changes: (state) => state.dirty.drain((key) => rowOf(state, key)),
  *rows(state) {
    const keys: string[] = [...state.entries.keys(), OWN_ROW].sort()
    for (const key of keys) {
      const row = rowOf(state, key)
      if (row !== null) yield [key, row]
    }
  },
  load(rows) {
    const state = newState()
    for (const [key, value] of rows) {
      if (key === OWN_ROW) {
        state.ownIncarnation = (JSON.parse(value) as { incarnation: number }).incarnation
        continue
      }
      const row = JSON.parse(value) as Row
      const entry = entryOf(state, key as NodeId)
      setWords(state, key as NodeId, entry, { own: row.own ?? undefined, others: row.others })
      entry.whereabouts = row.whereabouts === null ? undefined : readable(row.whereabouts)
      entry.roundTrips = row.roundTrips ?? undefined
    }
    return state
  },
})

function memberOf(state: LivenessState, id: NodeId): Member | undefined {
  const { words = NO_WORDS, whereabouts, roundTrips } = state.entries.get(id) ?? {}
  const word = strongest(words, otherWitness(state))
  if (word === undefined || whereabouts === undefined) return undefined
  const { role } = whereabouts
  // Where somebody else says it is, nobody is sent: it may be the address of a third party.
  const { host, port, dhtPort } = whereabouts.by.author === id ? whereabouts : NO_ADDRESS
  let shown: Member['roundTrips']
  if (roundTrips !== undefined) {
    const { by: _, ...figures } = roundTrips
    shown = figures
  }
  return {
    id,
    ...{ role, host, port, dhtPort },
    state: word.state,
    incarnation: word.incarnation,
    sinceLamport: word.by.lamport,
    sinceAt: word.by.at,
    byWord: word.by.author,
    roundTrips: shown,
  }
}

export function memberIn(state: LivenessState, id: NodeId): Member | undefined {
  return memberOf(state, id)
}

/** The events that make the table what it is: everything else that was said of members is superseded. */
export function* decisiveEvents(state: LivenessState): Generator<Stamp> {
  for (const { words, whereabouts, roundTrips } of state.entries.values()) {
    const claimed = words.others.flat()
    for (const source of [words.own, ...claimed, whereabouts, roundTrips]) if (source !== undefined) yield source.by
  }
}

/** Everyone in the table, in the order of their ids. */
export function members(state: LivenessState): Member[] {
  return [...state.entries.keys()]
    .map((id) => memberOf(state, id))
    .filter((member) => member !== undefined)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** Those to count on, alive or only suspected, in the order of their ids; of one role if given. */
export function liveMembers(state: LivenessState, role?: NodeRole): Member[] {
  return members(state).filter(
    (member) => (member.state === 'alive' || member.state === 'suspect') && (role === undefined || member.role === role),
  )
}

/** The incarnation to start with: above all that this node ever said of itself, and above what others believe of it. */
export function nextIncarnation(state: LivenessState, own: NodeId): number {
  const { words } = state.entries.get(own) ?? { words: NO_WORDS }
  const believed = strongest(words, () => false)?.incarnation ?? 0
  return Math.max(state.ownIncarnation, believed > BELIEVED_MAX ? 0 : believed) + 1
}
