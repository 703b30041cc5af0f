import { deepEqual, equal, throws } from 'node:assert/strict'
import { ALL_KINDS, type Event } from '../../../src/events/index.ts'
import { authorOf, eventKinds, eventRow } from '../../../src/roles/node/event-rows.ts'
import { EVERY_KIND } from '../../events/samples.ts'
import { EnvelopeMaker, node } from '../../projections/envelopes.ts'

describe('an event as it is shown', () => {
  const rowOf = (event: Event) => eventRow(new EnvelopeMaker().make(node('ada'), event))

  it('has its place, its stamps and its author beside it', () => {
    const event: Event = { kind: 'node.stopped', reason: 'asked to' }
    const row = eventRow({ ...new EnvelopeMaker().make(node('ada'), event, 'local'), seq: 7, authorSeq: 3 })
    deepEqual(row, {
      ...{ seq: 7, lamport: 1, at: 1_700_000_001_000, author: node('ada'), stream: 'local', authorSeq: 3 },
      ...{ kind: 'node.stopped', event },
    })
  })

  it('is what JSON gives back, of every kind', () => {
    for (const { event } of EVERY_KIND) {
      const row = rowOf(event)
      deepEqual(JSON.parse(JSON.stringify(row)), row)
      equal(row.event.kind, event.kind)
    }
  })

  it('has bytes as base64, lists as lists and fields as fields, however deep', () => {
    const subject = node('bob')
    const bad = [{ index: 1, evidence: 'block-differs', offset: 0, length: 5, expected: 'aa', received: 'bb' } as const]
    const judged: Event = { kind: 'piece.judged', subject, infoHash: 'ab' as never, good: [{ first: 2, count: 3 }], bad }
    deepEqual(rowOf(judged).event, judged)
    const signed: Event = { kind: 'access.revoked', revocation: new Uint8Array([1, 2, 3]), ownerSignature: new Uint8Array(2) }
    deepEqual(rowOf(signed).event, { kind: 'access.revoked', revocation: 'AQID', ownerSignature: 'AAA=' })
    deepEqual(rowOf({ kind: 'unknown', number: 99, payload: new Uint8Array([255]) }).event, {
      ...{ kind: 'unknown', number: 99, payload: '/w==' },
    })
  })
})

describe('a filter of events', () => {
  it('names kinds that exist, or none', () => {
    deepEqual([eventKinds(undefined), eventKinds([])], [undefined, undefined])
    deepEqual(eventKinds([...ALL_KINDS]), [...ALL_KINDS])
    for (const kinds of [['toString'], ['node.started', 'no.kind']]) {
      throws(() => eventKinds(kinds), { code: 'usage', message: new RegExp(`no event kind "${kinds.at(-1)}"; known are node`) })
    }
  })

  it('names an author by the whole id', () => {
    equal(authorOf({}), undefined)
    equal(authorOf({ author: node('ada') }), node('ada'))
    for (const author of ['', node('ada').slice(1), `${node('ada')}0`, 'g'.repeat(64)]) {
      throws(() => authorOf({ author }), { code: 'usage', message: `not a node id (64 hex digits): ${author}` })
    }
  })
})
