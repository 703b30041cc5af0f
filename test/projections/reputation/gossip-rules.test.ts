import assert from 'node:assert/strict'
import {
  ANCESTOR,
  explain,
  LOCAL_ONLY,
  type Policy,
  replayReputation,
  SEED_V1,
} from '../../../src/projections/reputation/index.ts'
import { node } from '../envelopes.ts'
import { judged, own, Scene } from './scenes.ts'

const [peer, eve, bob] = [node('peer'), node('eve'), node('bob')]
const verdict = (scene: Scene, policy: Policy, isRevoked = () => false) => {
  const judgement = replayReputation(scene.envelopes, { own, policy, isRevoked }).get(peer)
  assert.ok(judgement)
  return judgement
}

describe('policies that believe what others say', () => {
  it('ban by one liar under the ancestor, and by none under the others', () => {
    const scene = new Scene().says(own, judged(peer, 500, 0)).says(eve, judged(peer, 0, 121))
    assert.deepEqual([verdict(scene, ANCESTOR).score, verdict(scene, ANCESTOR).standing], [-5, 'banned'])
    assert.equal(verdict(new Scene().says(eve, judged(peer, 0, 20)), ANCESTOR).standing, 'good', 'a score of 0 is not below 0')
    for (const policy of [SEED_V1, LOCAL_ONLY])
      assert.deepEqual([verdict(scene, policy).score, verdict(scene, policy).standing], [600, 'good'])
  })

  it('name those who made the ban, and lift it when they were put out', () => {
    const scene = new Scene()
      .says(eve, judged(peer, 0, 20))
      .says(bob, judged(peer, 0, 1))
      .says(bob, judged(peer, 0, 9))
    const { ban, decisive, judgement } = explain(scene.envelopes, peer, { own, policy: ANCESTOR })
    assert.deepEqual([ban, decisive], [{ seq: 2, rule: 'gossip' }, [1, 2]])
    assert.match(judgement.because.at(-1)?.because ?? '', /others' word alone had it below 0/)
    assert.equal(verdict(scene, ANCESTOR, ((id: string) => id === eve) as never).standing, 'good')
  })

  it('are praised out of nothing under the ancestor alone, and weigh a stranger by its part', () => {
    const praised = new Scene().says(eve, judged(peer, 70, 0))
    assert.deepEqual([verdict(praised, ANCESTOR).score, verdict(praised, SEED_V1).score], [170, 100])
    const half: Policy = { ...SEED_V1, strangerWeight: 500 }
    assert.equal(verdict(new Scene().says(eve, judged(peer, 0, 100)), half).score, 85)
  })

  it('do not ban by gossip whom the operator took back', () => {
    const scene = new Scene()
      .says(own, { kind: 'operator.unbanned', subject: peer, reason: 'known' })
      .says(eve, judged(peer, 0, 100))
    assert.equal(verdict(scene, ANCESTOR).standing, 'good')
  })
})
