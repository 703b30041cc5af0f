import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import { FETCHES_MAX } from '../../../src/network/gossip/anti-entropy.ts'
import { AuthorRates } from '../../../src/network/gossip/author-rates.ts'
import { BroadcastTree, GRAFT_AFTER_MS, NAMES_MAX } from '../../../src/network/gossip/broadcast-tree.ts'
import { SEEN_BYTES_MAX, SEEN_COUNT_MAX } from '../../../src/network/gossip/gossip.ts'
import { CLAIMS_MAX, CLAIMS_OF_PEER_MAX, PrunedElsewhere } from '../../../src/network/gossip/pruned-elsewhere.ts'
import { WIRE_ITEMS_MAX } from '../../../src/network/wire.ts'
import { authorOf, Door, peerOf, sent } from './gossip-at-the-door.ts'

const [NEAR, FAR] = [peerOf(1), peerOf(2)]
const AUTHOR = authorOf(1)
const SIGNATURE = new Uint8Array(64)

describe('bounds of gossip', () => {
  it('fetches from four peers at once, and from a fifth when one has answered', () => {
    assert.equal(FETCHES_MAX, 4)
    const door = new Door()
    const peers = Array.from({ length: FETCHES_MAX + 1 }, (_, index) => peerOf(10 + index))
    door.link(...peers)
    const fetchFrom = (index: number) =>
      sent(door.heads(peers[index] as NodeId, { author: authorOf(index), authorSeq: 5 }), 'fetch')
    const ids = Array.from({ length: FETCHES_MAX }, (_, index) => fetchFrom(index)[0]?.message.id)
    assert.ok(ids.every((id) => id !== undefined))
    assert.deepEqual(fetchFrom(FETCHES_MAX), [])
    door.hears(peers[0] as NodeId, { type: 'supply', id: ids[0] ?? 0, events: [], last: true })
    assert.equal(fetchFrom(FETCHES_MAX).length, 1)
  })

  it('asks one peer one thing at a time, and no two for the same', () => {
    const door = new Door()
    door.link(NEAR, FAR)
    assert.equal(sent(door.heads(NEAR, { author: AUTHOR, authorSeq: 5 }), 'fetch').length, 1)
    assert.deepEqual(sent(door.heads(NEAR, { author: authorOf(2), authorSeq: 5 }), 'fetch'), [])
    assert.deepEqual(sent(door.heads(FAR, { author: AUTHOR, authorSeq: 5 }), 'fetch'), [])
    door.feed({ type: 'link-down', peer: NEAR })
    assert.equal(sent(door.heads(FAR, { author: AUTHOR, authorSeq: 5 }), 'fetch').length, 1, 'its link is gone')
  })

  it('asks another at once when a fetch could not be sent', () => {
    const door = new Door()
    door.link(NEAR, FAR)
    const [fetch] = sent(door.heads(NEAR, { author: AUTHOR, authorSeq: 5 }), 'fetch')
    assert.ok(fetch)
    const other = { ...fetch.message, id: fetch.message.id + 1 }
    door.feed({ type: 'send-failed', to: NEAR, message: other, why: 'queue-full' })
    assert.deepEqual(sent(door.heads(FAR, { author: AUTHOR, authorSeq: 5 }), 'fetch'), [], 'that was another one')
    door.feed({ type: 'send-failed', to: NEAR, message: fetch.message, why: 'queue-full' })
    assert.equal(sent(door.heads(FAR, { author: AUTHOR, authorSeq: 5 }), 'fetch').length, 1)
  })

  it('tries a log that has failed with another fetch at once when the first was not sent', () => {
    const door = new Door()
    door.link(NEAR, FAR)
    door.feed({ type: 'ingest-done', took: false, failed: true, notTaken: [] })
    assert.deepEqual(sent(door.heads(NEAR, { author: AUTHOR, authorSeq: 5 }), 'fetch'), [], 'paused')
    door.due('resume')
    const [fetch] = sent(door.heads(NEAR, { author: AUTHOR, authorSeq: 5 }), 'fetch')
    assert.ok(fetch)
    assert.deepEqual(sent(door.heads(FAR, { author: authorOf(2), authorSeq: 5 }), 'fetch'), [], 'one is enough to know')
    door.feed({ type: 'send-failed', to: NEAR, message: fetch.message, why: 'queue-full' })
    assert.equal(sent(door.heads(FAR, { author: authorOf(2), authorSeq: 5 }), 'fetch').length, 1)
  })

  it('pauses fetching when an own event cannot be written, and not when one is refused', () => {
    const door = new Door()
    door.link(NEAR)
    const event = { kind: 'node.stopped', reason: 'x' } as const
    assert.deepEqual(door.feed({ type: 'append-failed', event, why: 'refused' }), [])
    const [wake] = door.feed({ type: 'append-failed', event, why: 'unwritable' })
    assert.ok(wake?.do === 'wake' && wake.timer.name === 'resume')
    assert.deepEqual(sent(door.heads(NEAR, { author: AUTHOR, authorSeq: 5 }), 'fetch'), [])
  })

  describe('events kept for grafts', () => {
    /** Which of the own events, numbered from 1, are pushed to who grafts them. */
    const kept = (count: number, bodyBytes: number, asked: readonly number[]): number[] => {
      const door = new Door()
      door.link(NEAR)
      const event = (seq: number) => {
        const body = new Uint8Array(bodyBytes)
        new DataView(body.buffer).setUint32(0, seq)
        return { header: { author: AUTHOR, authorSeq: seq, kind: 1 }, event: { body, signature: SIGNATURE } }
      }
      for (let seq = 1; seq <= count; seq++) door.feed({ type: 'own-stored', events: [event(seq)] })
      const grafted = door.hears(NEAR, {
        type: 'graft',
        names: asked.map((authorSeq) => ({ author: AUTHOR, authorSeq, hops: 0 })),
      })
      return sent(grafted, 'push').flatMap(({ message }) =>
        message.events.map(({ event: { body } }) => new DataView(body.buffer).getUint32(0)),
      )
    }

    it('are 8 MiB at most', () => {
      assert.equal(SEEN_BYTES_MAX, 8 * 2 ** 20)
      assert.deepEqual(kept(8, 2 ** 20, [1, 2, 8]), [1, 2, 8])
      assert.deepEqual(kept(9, 2 ** 20, [1, 2, 9]), [2, 9])
    })

    it('are 8,192 at most', () => {
      assert.equal(SEEN_COUNT_MAX, 8_192)
      assert.deepEqual(kept(SEEN_COUNT_MAX, 8, [1, 2, SEEN_COUNT_MAX]), [1, 2, SEEN_COUNT_MAX])
      assert.deepEqual(kept(SEEN_COUNT_MAX + 1, 8, [1, 2, SEEN_COUNT_MAX + 1]), [2, SEEN_COUNT_MAX + 1])
    })
  })

  describe('names of events', () => {
    const treeOf = (isEager: boolean): BroadcastTree => {
      const tree = new BroadcastTree({ pushesTo: () => isEager })
      tree.linkUp(NEAR)
      return tree
    }
    const pushed = (authorSeq: number) => {
      const body = new Uint8Array(4)
      new DataView(body.buffer).setUint32(0, authorSeq)
      return { author: AUTHOR, authorSeq, hops: 1, event: { body, signature: SIGNATURE } }
    }
    const count = NAMES_MAX + 1
    const all = Array.from({ length: count }, (_, index) => index + 1)

    it('wait for a lazy link, 4,096 at most, and the oldest are left to anti-entropy', () => {
      assert.equal(NAMES_MAX, 4_096)
      const tree = treeOf(false)
      for (const seq of all) tree.spread([pushed(seq)], undefined)
      assert.equal(tree.backlog(NEAR), NAMES_MAX)
      const named = sent(tree.flush(), 'have').flatMap(({ message }) => message.names.map(({ authorSeq }) => authorSeq))
      assert.deepEqual(named, all.slice(1))
    })

    it('and events for an eager one', () => {
      const tree = treeOf(true)
      tree.spread([pushed(0)], undefined)
      for (const seq of all) tree.spread([pushed(seq)], undefined)
      const numbers = sent(tree.pushWaiting(), 'push').flatMap(({ message }) =>
        message.events.map(({ event: { body } }) => new DataView(body.buffer).getUint32(0)),
      )
      assert.deepEqual(numbers, all.slice(1))
    })

    it('and those that are missing here, of which one message asks for as many as fit', () => {
      const tree = treeOf(false)
      for (const seq of all) tree.heard(NEAR, { author: AUTHOR, authorSeq: seq, hops: 1 }, 0)
      const [asked] = sent(tree.graft(GRAFT_AFTER_MS), 'graft')
      assert.deepEqual(
        asked?.message.names.map(({ authorSeq }) => authorSeq),
        all.slice(1, 1 + WIRE_ITEMS_MAX),
      )
    })

    it('are asked of six neighbours at most', () => {
      const tree = treeOf(false)
      const peers = Array.from({ length: 7 }, (_, index) => peerOf(10 + index))
      for (const peer of peers) {
        tree.linkUp(peer)
        tree.heard(peer, { author: AUTHOR, authorSeq: 1, hops: 1 }, 0)
      }
      const asked = Array.from({ length: 10 }, (_, round) => sent(tree.graft(1_000 * (round + 1)), 'graft'))
      assert.deepEqual(
        asked.flat().map(({ to }) => to),
        peers.slice(0, 6),
      )
    })
  })

  it('remembers 4,096 claims of what was pruned, 1,024 of one peer, the oldest give way', () => {
    assert.deepEqual([CLAIMS_MAX, CLAIMS_OF_PEER_MAX], [4_096, 1_024])
    const held = { has: () => false, versionVector: () => new Map() }
    const claims = new PrunedElsewhere({ self: AUTHOR, held, retentionMs: 1, isRecovering: () => false })
    const claim = (peer: number, number: number) => {
      const range = { author: authorOf(number), from: 1, to: 2 }
      return claims.claim(peerOf(peer), range, [{ authorSeq: 3, at: 0 }], 10)
    }
    const counts = (number: number) => claims.vector(20).get(authorOf(number)) === 2
    for (let number = 2; number < 2 + CLAIMS_OF_PEER_MAX; number++) claim(1, number)
    assert.deepEqual([counts(2), claims.size], [true, CLAIMS_OF_PEER_MAX])
    assert.equal(claim(1, 5), false, 'said before')
    claim(1, 9_999)
    assert.deepEqual([counts(2), counts(3), counts(9_999), claims.size], [false, true, true, CLAIMS_OF_PEER_MAX])
    for (const peer of [2, 3, 4])
      for (let number = 0; number < CLAIMS_OF_PEER_MAX; number++) claim(peer, 10_000 * peer + number)
    assert.deepEqual([counts(3), claims.size], [true, CLAIMS_MAX])
    claim(5, 60_000)
    assert.deepEqual([counts(3), counts(60_000), claims.size], [false, true, CLAIMS_MAX])
  })

  it('remembers the rates of so many authors, the one that was silent longest gives way', () => {
    const rates = new AuthorRates(0, 1, 2)
    const take = (author: number) => rates.take(authorOf(author), 0)
    assert.deepEqual([take(1), take(2), take(1), take(2)], [true, true, false, false])
    assert.deepEqual([take(1), take(3), take(1), take(2)], [false, true, false, true])
  })
})
