import type { Envelope, NodeId } from '../../events/index.ts'
import { ByteWriter } from '../bytes.ts'
import { type KeywordIndexState, knownAuthor } from './index-state.ts'
import { renewalKey, renewalRow } from './renewals.ts'

// That authors are there still, in the state and the rows of the index; renewals.ts says what it means.

/** Takes in that an author still offers all that it has offered. */
export function foldRenewal(state: KeywordIndexState, { author, authorSeq, at }: Envelope): void {
  const { renewals, rows } = state
  const changed = renewals.add(author, { authorSeq, at })
  if (changed.length === 0) return
  knownAuthor(state, author)
  for (const one of changed) {
    countRenewal(state, one, rows.get(renewalKey(one)), -1)
    const said = renewals.get(one)
    if (said === undefined) {
      rows.delete(renewalKey(one))
      continue
    }
    const row = renewalRow(said)
    rows.put(renewalKey(one), row)
    countRenewal(state, one, row, 1)
  }
  // What follows from it is computed when a document is next looked at.
  state.epoch += 1
}

/** Takes out what an author said of being there. */
export function forgetRenewal(state: KeywordIndexState, author: NodeId): void {
  if (!state.renewals.delete(author)) return
  countRenewal(state, author, state.rows.get(renewalKey(author)), -1)
  state.rows.delete(renewalKey(author))
}

/** Renewals are in the digest of the index. */
function countRenewal(
  { documents, sha256 }: KeywordIndexState,
  author: NodeId,
  row: Uint8Array | undefined,
  sign: 1 | -1,
): void {
  if (row === undefined) return
  const name = new ByteWriter(48)
  name.hex(author)
  name.raw(row)
  if (sign === 1) documents.digest.add(0, sha256(name.view()))
  else documents.digest.subtract(0, sha256(name.view()))
}
