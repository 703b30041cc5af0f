import assert from 'node:assert/strict'
import { judge } from '../../../src/projections/index.ts'
import { HEARSAY_BOUNDS, reputationProjection } from '../../../src/projections/reputation/index.ts'
import { foldAll, node, rowsOf } from '../envelopes.ts'
import { judged, own, Scene } from './scenes.ts'

const fold = (scene: Scene, bounds = HEARSAY_BOUNDS) => foldAll(reputationProjection(own, bounds), scene.envelopes)
const small = { heard: 2, weighed: 2, reports: 2, strange: 2, proven: 2 }
const [ada, bob, eve] = [node('ada'), node('bob'), node('eve')]
/** Who agreed with this node before it knew: what it says has weight from then on. */
const prove = (scene: Scene, reporter = ada): Scene => {
  for (let count = 0; count < 5; count++) {
    scene
      .says(reporter, judged(node(`bad ${count} of ${reporter}`), 0, 1))
      .says(own, judged(node(`bad ${count} of ${reporter}`), 0, 1))
  }
  return scene
}

describe('what others say of peers that this node never met', () => {
  it('is forgotten, one past the bound, the oldest first, with its rows', () => {
    const scene = new Scene()
    const names = Array.from({ length: HEARSAY_BOUNDS.heard + 1 }, (_, index) => node(`made up ${index}`))
    for (const name of names) scene.says(eve, judged(name, 1, 0))
    const state = fold(scene)
    assert.equal(state.subjects.size, HEARSAY_BOUNDS.heard)
    assert.equal(state.subjects.has(names[0] as typeof eve), false)
    assert.equal(state.subjects.has(names[1] as typeof eve), true)
    assert.equal(rowsOf(reputationProjection(own), state).length, HEARSAY_BOUNDS.heard)
  })

  it('is kept for longer where it is repeated', () => {
    const scene = new Scene()
    for (const name of ['one', 'two', 'one', 'three']) scene.says(eve, judged(node(name), 1, 0))
    assert.deepEqual([...fold(scene, small).subjects.keys()].sort(), [node('one'), node('three')].sort())
  })

  it('never drives out peers that it met, nor the word of reporters with weight', () => {
    const scene = prove(new Scene(), ada)
    scene.says(own, judged(node('met'), 3, 0)).says(ada, judged(node('warned of'), 0, 20))
    for (let count = 0; count < 50; count++) scene.says(eve, judged(node(`made up ${count}`), 1, 0))
    const state = fold(scene, small)
    assert.equal(state.subjects.get(node('met'))?.own.good, 3)
    const score = (peer: typeof eve) => judge(state, peer).score
    assert.ok(score(node('warned of')) < score(node('nobody')))
    assert.equal(state.subjects.size, 6 + 1 + 2)
  })

  it('has room for so many reports of one peer, those with weight before the rest', () => {
    const scene = prove(prove(new Scene(), ada), bob)
    const peer = node('peer')
    const reporters = () => [...(fold(scene, small).subjects.get(peer)?.reports.keys() ?? [])].sort()
    scene
      .says(eve, judged(peer, 0, 1))
      .says(node('x'), judged(peer, 0, 1))
      .says(node('y'), judged(peer, 0, 1))
    assert.deepEqual(reporters(), [node('x'), node('y')].sort())
    scene.says(ada, judged(peer, 0, 1)).says(bob, judged(peer, 0, 1))
    assert.deepEqual(reporters(), [ada, bob].sort())
    scene.says(eve, judged(peer, 0, 1))
    assert.deepEqual(reporters(), [ada, bob].sort())
  })

  it('is measured for so many reporters, those that agreed before the rest', () => {
    const scene = prove(new Scene(), ada)
    scene.says(own, judged(node('good'), 50, 0))
    for (let count = 0; count < 10; count++) scene.says(node(`liar ${count}`), judged(node('good'), 0, 1))
    const { reporters } = fold(scene, small)
    assert.deepEqual([...reporters.keys()].sort(), [ada, node('liar 8'), node('liar 9')].sort())
  })
})
