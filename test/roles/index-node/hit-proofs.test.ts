import assert from 'node:assert/strict'
import type { SignedEvent } from '../../../src/events/index.ts'
import type { Hit } from '../../../src/projections/keyword-index/index.ts'
import { HitProofs } from '../../../src/roles/index-node/hit-proofs.ts'
import { hash, node } from '../../projections/envelopes.ts'

const hit = (...evidence: number[]): Hit => ({
  ...{ infoHash: hash(String(evidence[0])), title: '', sizeBytes: 1, fileCount: 1, tags: [], seeders: 1, verified: false },
  ...{ publisher: node('ada'), publishedAt: 1, lastSeenAt: 5, evidence },
})

describe('the proofs of hits', () => {
  const pruned = new Set<number>()
  let read: number[]
  let bodyBytes: number
  const eventOf = (seq: number): SignedEvent => ({ body: new Uint8Array(bodyBytes).fill(seq), signature: new Uint8Array(64) })
  const log = {
    async readSignedAt(seqs: readonly number[]) {
      read.push(...seqs)
      return seqs.filter((seq) => !pruned.has(seq)).map(eventOf)
    },
  }
  beforeEach(() => {
    read = []
    bodyBytes = 100
    pruned.clear()
  })

  it('are read once, also where several hits or questions want the same', async () => {
    const proofs = new HitProofs(log)
    const found = await proofs.of([hit(1, 2), hit(3, 2)])
    assert.deepEqual(
      found.map(({ proof }) => proof.map(({ body }) => body[0])),
      [
        [1, 2],
        [3, 2],
      ],
    )
    await Promise.all([proofs.of([hit(1, 4)]), proofs.of([hit(3, 4)])])
    await proofs.of([hit(1, 4)])
    assert.deepEqual(read, [1, 2, 3, 4, 4])
    assert.equal(proofs.keptBytes, 4 * 164)
  })

  it('leave out what was pruned, and the hit with its description', async () => {
    pruned.add(2).add(3)
    const found = await new HitProofs(log).of([hit(1, 2, 4), hit(3, 4)])
    assert.deepEqual(
      found.map(({ infoHash, proof }) => [infoHash, proof.map(({ body }) => body[0])]),
      [[hash('1'), [1, 4]]],
    )
  })

  it('are kept up to 4 MiB, those used last', async () => {
    bodyBytes = 1024 * 1024 - 64
    const proofs = new HitProofs(log)
    for (const seq of [1, 2, 3, 4]) await proofs.of([hit(seq)])
    assert.equal(proofs.keptBytes, 4 * 1024 * 1024)
    await proofs.of([hit(1)])
    await proofs.of([hit(5)])
    assert.equal(proofs.keptBytes, 4 * 1024 * 1024)
    await proofs.of([hit(1)])
    await proofs.of([hit(2)])
    assert.deepEqual(read, [1, 2, 3, 4, 5, 2])
  })
})
