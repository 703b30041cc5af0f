import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import type { OverlayStatus } from '../../../src/network/index.ts'
import type { Member } from '../../../src/projections/index.ts'
import { anchorsAmong, missingMembers } from '../../../src/roles/node/member-links.ts'
import type { MemberSight } from '../../../src/roles/node/member-sight.ts'

const id = (digit: string): NodeId => digit.repeat(64) as NodeId
const [ada, bob, eve, stranger] = ['a', 'b', 'e', '9'].map(id) as [NodeId, NodeId, NodeId, NodeId]
const sight: MemberSight = { isMember: (node) => node !== stranger, stateOf: ({ state }) => state }
const known = (...states: readonly [NodeId, Member['state']][]) =>
  states.map(([node, state]) => ({ id: node, state })) as unknown as Member[]

describe('the links that a node waits for', () => {
  const all = known([ada, 'alive'], [bob, 'suspect'], [eve, 'dead'])

  it('are with two members for a client, whatever else it is linked with', () => {
    assert.match(missingMembers('client', [], all, sight) ?? '', /no bootstrap or known member/)
    assert.match(missingMembers('client', Array(40).fill(stranger), all, sight) ?? '', /no bootstrap or known member/)
    assert.match(missingMembers('client', [stranger, ada], all, sight) ?? '', /second member/)
    assert.equal(missingMembers('client', [ada, bob], all, sight), undefined)
  })

  it('are with all members that exist, where there are fewer', () => {
    const one = known([ada, 'alive'], [bob, 'left'], [eve, 'dead'], [stranger, 'alive'])
    assert.equal(missingMembers('client', [ada], one, sight), undefined)
    assert.equal(missingMembers('client', [ada], [], sight), undefined)
    assert.notEqual(missingMembers('client', [stranger], [], sight), undefined)
  })

  it('are with one member for an index node, and none for a bootstrap', () => {
    assert.equal(missingMembers('index', [ada], all, sight), undefined)
    assert.notEqual(missingMembers('index', [stranger], all, sight), undefined)
    assert.equal(missingMembers('bootstrap', [], all, sight), undefined)
  })
})

describe('anchors', () => {
  const link = (peer: NodeId, initiator: boolean, role: 'index' | 'client', view: 'eager' | 'none') =>
    ({ peer, initiator, role, view }) as OverlayStatus['links'][number]

  it('are the members that this node chose, four at most; those of before where it has none', () => {
    const chosen = ['1', '2', '3', '4', '5'].map((digit) => link(id(digit), true, 'index', 'eager'))
    const others = [link(ada, false, 'index', 'eager'), link(bob, true, 'client', 'eager'), link(eve, true, 'index', 'none')]
    assert.deepEqual(anchorsAmong([...others, ...chosen], [ada]), ['1', '2', '3', '4'].map(id))
    assert.deepEqual(anchorsAmong(others, [ada]), [ada])
  })
})
