import assert from 'node:assert/strict'
import { type EventKind, KINDS } from '../../../src/events/index.ts'
import { goesFirst } from '../../../src/network/gossip/precedence.ts'

describe('precedence of events', () => {
  it('is that of verdicts: who may be here, and what somebody saw a peer or a member do', () => {
    const first = (Object.keys(KINDS) as EventKind[]).filter((kind) => goesFirst({ kind: KINDS[kind].number }))
    assert.deepEqual(first.sort(), [
      ...['access.revoked', 'member.alive', 'member.dead', 'member.left', 'member.refuted', 'member.suspect'],
      ...['node.admitted', 'piece.judged', 'piece.suspected'],
    ])
  })

  it('is not that of kinds which nobody knows', () => {
    assert.equal(goesFirst({ kind: 999_999 }), false)
  })
})
