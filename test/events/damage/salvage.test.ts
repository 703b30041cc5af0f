import assert from 'node:assert/strict'
import { coalesce } from '../../../src/events/damage/salvage.ts'
import { signerOf } from '../samples.ts'

const [ada, bob] = [signerOf(1).id, signerOf(2).id].sort() as [ReturnType<typeof id>, ReturnType<typeof id>]
const id = () => signerOf(1).id
const run = (authorSeq: number, count: number, author = ada, stream: 'gossip' | 'index' = 'gossip') => ({
  ...{ author, stream, authorSeq, count },
})

describe('what is known of lost events', () => {
  it('becomes one run where runs touch or overlap, and never loses the longer of two', () => {
    assert.deepEqual(coalesce([run(4, 3), run(1, 3)]), [run(1, 6)])
    assert.deepEqual(coalesce([run(1, 9), run(2, 3)]), [run(1, 9)])
    assert.deepEqual(coalesce([run(1, 3), run(5, 3)]), [run(1, 3), run(5, 3)])
    const apart = [run(1, 2), run(3, 2, ada, 'index'), run(3, 2, bob)]
    assert.deepEqual(coalesce(apart.toReversed()), apart)
  })
})
