import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import type { ProjectionStates } from '../../../src/projections/all.ts'
import { type LivenessState, livenessProjection, type ProjectionRunner } from '../../../src/projections/index.ts'
import { liveIndexMap } from '../../../src/roles/index-node/live-index-map.ts'
import { memberSight } from '../../../src/roles/node/member-sight.ts'
import { EnvelopeMaker, foldAll, node } from '../../projections/envelopes.ts'

const [ada, bob, eve, fake] = [node('ada'), node('bob'), node('eve'), node('fake')]
const at = { role: 'index', incarnation: 1, host: '10.0.0.1', port: 5000, dhtPort: 0 } as const

/** All have said that they are there, somebody who is no member too; then two call bob dead. */
function accused(): LivenessState {
  const maker = new EnvelopeMaker()
  return foldAll(livenessProjection(ada), [
    ...[ada, bob, eve, fake].map((subject) => maker.make(subject, { kind: 'member.alive', subject, ...at })),
    ...[ada, eve].map((by) => maker.make(by, { kind: 'member.dead', subject: bob, ...at })),
  ])
}

describe('what a node makes of what is said of members', () => {
  const seen = new Set<NodeId>()
  const admittance = { standingOf: (id: NodeId) => (id === fake ? 'client' : 'member') } as const
  const sight = memberSight(admittance, { isSeenAlive: (id) => seen.has(id) })
  beforeEach(() => seen.clear())

  it('is that those are alive from whom it hears, and that nobody else is what others do not say', () => {
    seen.add(bob)
    for (const state of ['suspect', 'dead'] as const) {
      assert.equal(sight.stateOf({ id: bob, state }), 'alive')
      assert.equal(sight.stateOf({ id: eve, state }), state)
    }
    assert.equal(sight.stateOf({ id: bob, state: 'left' }), 'left', 'that it said itself')
    assert.deepEqual([sight.isMember(bob), sight.isMember(fake)], [true, false])
  })

  it('is what the map of the index goes by, from one moment to the next', () => {
    const state = accused()
    const states = { state: () => state, onChange: () => () => {} } as unknown as ProjectionRunner<ProjectionStates>
    const map = liveIndexMap(states, sight)
    const sorted = (...ids: NodeId[]) => ids.sort()
    assert.deepEqual(map.indexNodes(), sorted(ada, eve))
    seen.add(bob)
    assert.deepEqual(map.indexNodes(), sorted(ada, bob, eve))
    assert.deepEqual(sorted(...map.ownersOf('orbit')), sorted(ada, bob, eve))
    seen.clear()
    assert.deepEqual(map.indexNodes(), sorted(ada, eve))
  })
})
