import {
  CredentialError,
  type Envelope,
  type Invitation,
  isExpired,
  type Millis,
  type NodeId,
  OPEN_PARTY,
  readCredential,
  readRevocation,
  type Standing,
  type VerifySignature,
} from '../../events/index.ts'
import { canonicalJson } from '../canonical-json.ts'
import { DirtyKeys } from '../dirty-keys.ts'
import type { Projection } from '../projection.ts'
import { hasPlace, type MemberPlaces, type Place, takePlace } from './member-places.ts'

// Who is admitted to the network, and by which invitation, as a fold over what proves itself: credentials that their nodes
// show, and revocations of the owner. The same for every order of arrival. Whether an invitation has expired is asked with
// the time, and not folded.

/** An invitation that admitted a node, and the node's event that showed it first. */
export type Admission = Invitation & { readonly lamport: number /** ms since 1970, the node's claim */; readonly at: Millis }

export type RevokedKey = { readonly at: Millis; readonly reason: string }

export type AdmissionsState = {
  /** By node; of each the newest invitations, best first. */
  readonly admitted: Map<NodeId, readonly Admission[]>
  /** By key, of a node or of an invitation. */
  readonly revoked: Map<NodeId, RevokedKey>
  /** Of invitations for members. */
  readonly places: MemberPlaces
  readonly dirty: DirtyKeys
}

/** Renewals kept of one node: an old one still counts when a newer one is revoked. */
export const CREDENTIALS_PER_NODE_MAX = 4

const NODE = 'n/'
const PLACE = 'p/'
const REVOKED = 'r/'

const initial = (): AdmissionsState => ({ admitted: new Map(), revoked: new Map(), places: new Map(), dirty: new DirtyKeys() })

/** A total order, so that the best few are the same in whatever order they came: never expiring first, then the latest. */
function compare(a: Admission, b: Admission): number {
  const expiry = (b.expiresAt || Number.MAX_SAFE_INTEGER) - (a.expiresAt || Number.MAX_SAFE_INTEGER)
  if (expiry !== 0) return expiry
  if (a.issuedAt !== b.issuedAt) return b.issuedAt - a.issuedAt
  if (a.key !== b.key) return a.key < b.key ? -1 : 1
  if (a.lamport !== b.lamport) return a.lamport - b.lamport
  // Of an author that gave a number out twice, or an owner that signed one key twice.
  const [first, second] = [canonicalJson(a), canonicalJson(b)]
  return first < second ? -1 : first > second ? 1 : 0
}

function foldAdmission(state: AdmissionsState, { author, lamport, at }: Envelope, invitation: Invitation): void {
  if (takePlace(state.places, invitation, { node: author, lamport })) state.dirty.add(PLACE + invitation.key)
  const before = state.admitted.get(author) ?? []
  const shown: Admission = { ...invitation, lamport, at }
  const same = before.find(({ key }) => key === invitation.key)
  // The same one again, after a restart of the log: the first showing stays.
  if (same !== undefined && compare(same, shown) <= 0) return
  const kept = [...before.filter((each) => each !== same), shown].sort(compare).slice(0, CREDENTIALS_PER_NODE_MAX)
  state.admitted.set(author, kept)
  state.dirty.add(NODE + author)
}

function foldRevocation(state: AdmissionsState, key: NodeId, revoked: RevokedKey): void {
  const before = state.revoked.get(key)
  // Said twice: the earlier word stays, and of one moment the lesser text.
  if (before !== undefined && (before.at < revoked.at || (before.at === revoked.at && before.reason <= revoked.reason))) return
  state.revoked.set(key, revoked)
  state.dirty.add(REVOKED + key)
}

function apply(owner: NodeId, verify: VerifySignature, state: AdmissionsState, envelope: Envelope): AdmissionsState {
  const { event, author } = envelope
  try {
    if (event.kind === 'node.admitted') foldAdmission(state, envelope, readCredential(event.credential, author, owner, verify))
    else if (event.kind === 'access.revoked') {
      const { key, at, reason } = readRevocation(event, owner, verify)
      foldRevocation(state, key, { at, reason })
    }
  } catch (error) {
    // Whoever wrote it proves nothing by it.
    if (!(error instanceof CredentialError)) throw error
  }
  return state
}

function rowOf({ admitted, revoked, places }: AdmissionsState, name: string): string | null {
  const key = name.slice(NODE.length) as NodeId
  const row = name.startsWith(PLACE) ? places.get(key) : name.startsWith(NODE) ? admitted.get(key) : revoked.get(key)
  return row === undefined ? null : canonicalJson(row)
}

/** @param owner of the network that `verify` checks signatures of */
export const admissionsProjection = (owner: NodeId, verify: VerifySignature): Projection<AdmissionsState> => ({
  name: 'admissions',
  version: 3,
  handles: ['node.admitted', 'access.revoked'],
  initial,
  apply: (state, envelope) => apply(owner, verify, state, envelope),
  changes: (state) => state.dirty.drain((name) => rowOf(state, name)),
  *rows(state) {
    const names = [
      ...Array.from(state.admitted.keys(), (key) => NODE + key),
      ...Array.from(state.revoked.keys(), (key) => REVOKED + key),
      ...Array.from(state.places.keys(), (key) => PLACE + key),
    ]
    for (const name of names.sort()) yield [name, rowOf(state, name) ?? '']
  },
  load(rows) {
    const state = initial()
    for (const [name, value] of rows) {
      const key = name.slice(NODE.length) as NodeId
      if (name.startsWith(PLACE)) state.places.set(key, JSON.parse(value) as Place)
      else if (name.startsWith(NODE)) state.admitted.set(key, JSON.parse(value) as Admission[])
      else state.revoked.set(key, JSON.parse(value) as RevokedKey)
    }
    return state
  },
})

/** The best invitation that still admits this node at this time, in ms since 1970. */
export function admissionOf({ admitted, revoked, places }: AdmissionsState, node: NodeId, at: number): Admission | undefined {
  if (revoked.has(node)) return undefined
  return admitted.get(node)?.find((each) => !revoked.has(each.key) && !isExpired(each, at) && hasPlace(places, each, node))
}

/** True if the owner took back this node's admission, or each invitation that it has shown. */
export function isRevoked({ admitted, revoked }: AdmissionsState, node: NodeId): boolean {
  if (revoked.has(node)) return true
  const shown = admitted.get(node) ?? []
  return shown.length > 0 && shown.every(({ key }) => revoked.has(key))
}

/**
 * Who answers for a node: the invitation that let it in. Where none is known: nobody in an invited network, whose client
 * could otherwise be a party of its own with each key whose admission it keeps to itself; and in an open one all of those
 * together. Undefined too if its admission was taken back.
 */
export function partyOf(state: AdmissionsState, node: NodeId, isOpen: boolean): NodeId | typeof OPEN_PARTY | undefined {
  if (isRevoked(state, node)) return undefined
  return state.admitted.get(node)?.find(({ key }) => !state.revoked.has(key))?.key ?? (isOpen ? OPEN_PARTY : undefined)
}

/** What the node may be now; undefined if it is not admitted, as far as is known. */
export const standingIn = (state: AdmissionsState, node: NodeId, at: number): Standing | undefined =>
  admissionOf(state, node, at)?.role

/** True if an event of this node shows this invitation. */
export const isShown = ({ admitted }: AdmissionsState, node: NodeId, invitation: NodeId): boolean =>
  admitted.get(node)?.some(({ key }) => key === invitation) ?? false
