import { ALL_KINDS, addKept, type Kept, KINDS, type NodeId, type SharedStream } from '../../events/index.ts'
import { DirtyKeys } from '../dirty-keys.ts'
import type { Projection } from '../projection.ts'

// What the log took of each other author, in events and bytes: what budgets are held against after a restart. Each node's
// own count, since nodes hold different events. What was pruned stays counted, unless the count is made again from the log, as
// it is after what revoked authors published was evicted.

export type KeptState = {
  readonly authors: Map<NodeId, { readonly [S in SharedStream]: Kept }>
  readonly dirty: DirtyKeys
}

const initial = (): KeptState => ({ authors: new Map(), dirty: new DirtyKeys() })
const nothing = (): Kept => ({ events: 0, bytes: 0 })

type KeptRow = readonly [gossipEvents: number, gossipBytes: number, indexEvents: number, indexBytes: number]

function rowOf({ authors }: KeptState, author: string): string | null {
  const kept = authors.get(author as NodeId)
  if (kept === undefined) return null
  const row: KeptRow = [kept.gossip.events, kept.gossip.bytes, kept.index.events, kept.index.bytes]
  return JSON.stringify(row)
}

/** The projection of node `own`, whose own events have no budget. */
export const keptProjection = (own: NodeId): Projection<KeptState> => ({
  name: 'kept',
  version: 1,
  handles: ALL_KINDS.filter((kind) => KINDS[kind].stream !== 'local'),
  initial,
  apply(state, { author, stream, payloadBytes }) {
    if (author === own || stream === 'local') return state
    let kept = state.authors.get(author)
    if (kept === undefined) {
      kept = { gossip: nothing(), index: nothing() }
      state.authors.set(author, kept)
    }
    addKept(kept[stream], 1, payloadBytes)
    state.dirty.add(author)
    return state
  },
  changes: (state) => state.dirty.drain((author) => rowOf(state, author)),
  *rows(state) {
    for (const author of [...state.authors.keys()].sort()) yield [author, rowOf(state, author) ?? '']
  },
  load(rows) {
    const state = initial()
    for (const [author, value] of rows) {
      const [gossipEvents, gossipBytes, indexEvents, indexBytes] = JSON.parse(value) as KeptRow
      state.authors.set(author as NodeId, {
        gossip: { events: gossipEvents, bytes: gossipBytes },
        index: { events: indexEvents, bytes: indexBytes },
      })
    }
    return state
  },
})
