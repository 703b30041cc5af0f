import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import type { PeerId } from '../../src/events/index.ts'
import { PieceBlame } from '../../src/torrent/piece-blame.ts'

const sha1 = (chunks: readonly Uint8Array[]) => createHash('sha1').update(Buffer.concat(chunks)).digest('hex')
const peer = (name: string) => `ip:${name}` as PeerId
const bytes = (...values: number[]) => Uint8Array.from(values)
const blame = (suspectBlocksMax = 1_000) => new PieceBlame({ sha1, expected: (index) => `hash of ${index}`, suspectBlocksMax })

describe('piece blame', () => {
  it('convicts the only source of a piece that failed, with what came', () => {
    const it = blame()
    it.accept(3, 2, peer('a'), bytes(3, 4))
    it.accept(3, 0, peer('a'), bytes(1, 2))
    const piece = {
      index: 3,
      evidence: 'sole-source',
      offset: 0,
      length: 4,
      expected: 'hash of 3',
      received: sha1([bytes(1, 2, 3, 4)]),
    }
    assert.deepEqual(it.failed(3), { good: [], guilty: [{ peer: peer('a'), piece }], suspects: [] })
  })

  it('suspects all of several sources, and convicts the one whose block differs from the good copy', () => {
    const it = blame()
    it.accept(0, 0, peer('honest'), bytes(1))
    it.accept(0, 1, peer('liar'), bytes(99))
    assert.deepEqual(it.failed(0), { good: [], guilty: [], suspects: [peer('honest'), peer('liar')] })
    it.accept(0, 0, peer('third'), bytes(1))
    it.accept(0, 1, peer('third'), bytes(2))
    const piece = {
      index: 0,
      evidence: 'block-differs',
      offset: 1,
      length: 1,
      expected: sha1([bytes(2)]),
      received: sha1([bytes(99)]),
    }
    assert.deepEqual(it.passed(0), { good: [peer('third')], guilty: [{ peer: peer('liar'), piece }], suspects: [] })
    assert.equal(it.suspectBlocks, 0)
  })

  it('convicts once for each failure the peer had a part in', () => {
    const it = blame()
    for (let attempt = 0; attempt < 3; attempt++) {
      it.accept(0, 0, peer('honest'), bytes(1))
      it.accept(0, 1, peer('liar'), bytes(90 + attempt))
      it.accept(0, 2, peer('liar'), bytes(80))
      it.failed(0)
    }
    it.accept(0, 0, peer('honest'), bytes(1))
    it.accept(0, 1, peer('honest'), bytes(2))
    it.accept(0, 2, peer('honest'), bytes(3))
    assert.deepEqual(
      it.passed(0).guilty.map((each) => [each.peer, each.piece.offset]),
      [
        [peer('liar'), 1],
        [peer('liar'), 1],
        [peer('liar'), 1],
      ],
    )
  })

  it('blames nobody for a piece nobody sent', () => {
    const it = blame()
    assert.deepEqual(it.failed(7), { good: [], guilty: [], suspects: [] })
    assert.deepEqual(it.passed(7), { good: [], guilty: [], suspects: [] })
  })

  it('counts the first block for an offset, as the engine does', () => {
    const it = blame()
    it.accept(0, 0, peer('first'), bytes(1))
    it.accept(0, 0, peer('second'), bytes(2))
    assert.deepEqual(it.passed(0).good, [peer('first')])
  })

  it('forgets the oldest failures beyond its bound', () => {
    const it = blame(10)
    for (let index = 0; index < 100; index++) {
      it.accept(index, 0, peer('a'), bytes(1))
      it.accept(index, 1, peer('b'), bytes(2))
      it.failed(index)
      assert.ok(it.suspectBlocks <= 10)
    }
    it.accept(0, 0, peer('c'), bytes(5))
    it.accept(0, 1, peer('c'), bytes(5))
    assert.deepEqual(it.passed(0).guilty, [])
  })

  it('remembers 65,536 suspect blocks where nothing else is said, and not one more', () => {
    const it = new PieceBlame({ sha1: ([block]) => String(block?.[0]), expected: () => '' })
    const fail = (index: number) => {
      it.accept(index, 0, peer('a'), bytes(1))
      it.accept(index, 1, peer('b'), bytes(2))
      it.failed(index)
    }
    for (let index = 0; index < 32_768; index++) fail(index)
    assert.equal(it.suspectBlocks, 65_536)
    fail(32_768)
    assert.equal(it.suspectBlocks, 65_536)
    const passes = (index: number) => {
      for (const offset of [0, 1]) it.accept(index, offset, peer('c'), bytes(5))
      return it.passed(index).guilty.length
    }
    assert.deepEqual([passes(0), passes(1)], [0, 2])
  })

  it('never convicts a peer whose blocks were all good, and always a sole source that lied', () => {
    const block = fc.record({ liar: fc.boolean(), sender: fc.nat(3) })
    fc.assert(
      fc.property(fc.array(fc.array(block, { minLength: 3, maxLength: 3 }), { maxLength: 12, size: 'max' }), (attempts) => {
        const it = blame()
        const lied = new Set<PeerId>()
        const convicted = new Set<PeerId>()
        const good = [bytes(10), bytes(11), bytes(12)]
        for (const attempt of attempts) {
          attempt.forEach(({ liar, sender }, offset) => {
            // Peers 0 and 1 are honest whatever was drawn.
            const lies = liar && sender > 1
            if (lies) lied.add(peer(`${sender}`))
            it.accept(0, offset, peer(`${sender}`), lies ? bytes(200) : (good[offset] ?? bytes()))
          })
          const passes = attempt.every(({ liar, sender }) => !(liar && sender > 1))
          const verdict = passes ? it.passed(0) : it.failed(0)
          for (const { peer: guilty } of verdict.guilty) convicted.add(guilty)
          const senders = new Set(attempt.map(({ sender }) => sender))
          if (!passes && senders.size === 1) assert.equal(verdict.guilty.length, 1)
        }
        for (const [offset, each] of good.entries()) it.accept(0, offset, peer('seed'), each)
        for (const { peer: guilty } of it.passed(0).guilty) convicted.add(guilty)
        assert.deepEqual([...convicted].sort(), [...lied].sort())
      }),
    )
  })
})
