import assert from 'node:assert/strict'
import type { SignedEvent } from '../../../src/events/index.ts'
import { SUPPLIED_NAMED_MAX } from '../../../src/network/gossip/anti-entropy.ts'
import { GRAFT_AFTER_MS } from '../../../src/network/gossip/broadcast-tree.ts'
import { SEEN_BYTES_MAX, SEEN_COUNT_MAX } from '../../../src/network/gossip/gossip.ts'
import type { GossipEffect } from '../../../src/network/gossip/gossip-protocol.ts'
import { HOLD_BACK_MS } from '../../../src/network/gossip/intake.ts'
import { BEACON_EVERY_MS } from '../../../src/network/gossip/spanning-tree.ts'
import { authorOf, Door, eventOf, peerOf, pushedTo, SELF, sent } from './gossip-at-the-door.ts'

const [NEAR, FAR] = [peerOf(1), peerOf(2)]
const AUTHOR = authorOf(1)
const SIGNATURE = new Uint8Array(64)

const wakesOf = (effects: readonly GossipEffect[]): [name: string, afterMs: number][] =>
  effects.flatMap((effect) => (effect.do === 'wake' ? [[effect.timer.name, effect.afterMs] as [string, number]] : []))
const ingestedBy = (effects: readonly GossipEffect[]): readonly SignedEvent[] =>
  effects.flatMap((effect) => (effect.do === 'ingest' ? effect.events : []))
const name = (authorSeq: number) => ({ author: AUTHOR, authorSeq, hops: 0 })

describe('gossip of a node', () => {
  let door: Door
  beforeEach(() => {
    door = new Door()
    door.link(NEAR, FAR)
  })
  const own = (authorSeq: number) => ({ header: { author: SELF, authorSeq, kind: 1 }, event: eventOf(SELF, authorSeq) })
  /** Makes the link to a neighbour one that is none of the tree: it hangs below somebody else. */
  const aside = (peer: typeof NEAR) =>
    door.hears(peer, { type: 'beacon', root: SELF, client: false, distance: 1, beat: 0, parent: false })

  it('sets its timers at the start', () => {
    assert.deepEqual(wakesOf(door.feed({ type: 'start' })).slice(1), [
      ['beacon', BEACON_EVERY_MS],
      ['seen', 5_000],
    ])
    assert.deepEqual(wakesOf(door.due('beacon')), [['beacon', BEACON_EVERY_MS]])
  })

  it('tells a neighbour its place in the tree, and how each of them hears of events', () => {
    const effects = door.feed({ type: 'link-up', peer: peerOf(3), initiator: false })
    assert.deepEqual(
      sent(effects, 'beacon').map(({ to }) => to),
      [peerOf(3)],
    )
    aside(FAR)
    assert.deepEqual(
      [NEAR, FAR, peerOf(9)].map((peer) => door.gossip.view(peer)),
      ['eager', 'lazy', 'none'],
    )
    door.feed({ type: 'link-down', peer: NEAR })
    assert.equal(door.gossip.view(NEAR), 'none')
  })

  it('looks for another root when its own is gone, and for no other member', () => {
    door = new Door({ self: 'e'.repeat(64) as typeof SELF })
    door.link(NEAR, FAR)
    door.hears(NEAR, { type: 'beacon', root: AUTHOR, client: false, distance: 0, beat: 1, parent: false })
    assert.deepEqual(door.feed({ type: 'member-gone', member: FAR }), [])
    const told = sent(door.feed({ type: 'member-gone', member: AUTHOR }), 'beacon')
    assert.deepEqual(
      told.map(({ to, message }) => [to, message.root]),
      [NEAR, FAR].map((peer) => [peer, 'e'.repeat(64)]),
    )
  })

  it('pushes an own event over the tree, names it over other links, and counts what it sends', () => {
    aside(FAR)
    const effects = door.feed({ type: 'own-stored', events: [own(1)] })
    assert.deepEqual([pushedTo(effects, NEAR), pushedTo(effects, FAR), door.gossip.backlog(FAR)], [1, 0, 1])
    assert.equal(sent(effects, 'push')[0]?.message.events[0]?.hops, 0)
    door.feed({ type: 'own-stored', events: [own(2), own(3)] })
    assert.equal(pushedTo(door.due('push'), NEAR), 2, 'those that follow closely wait a moment')
    const [have] = sent(door.due('flush'), 'have')
    assert.deepEqual([have?.to, have?.message.names.length, door.gossip.backlog(FAR)], [FAR, 3, 0])
    assert.equal(door.gossip.counts.eventsOut, 3)
    assert.equal(pushedTo(door.hears(FAR, { type: 'graft', names: [{ author: SELF, authorSeq: 2, hops: 0 }] }), FAR), 1)
    assert.equal(door.gossip.counts.eventsOut, 4)
    assert.equal(door.gossip.view(FAR), 'eager')
    door.hears(FAR, { type: 'prune' })
    assert.equal(door.gossip.view(FAR), 'lazy')
  })

  it('asks for an event that was named, when it does not come, and for none that is held', () => {
    door.held.set(AUTHOR, 1)
    door.push(FAR, eventOf(AUTHOR, 2))
    assert.deepEqual(door.hears(NEAR, { type: 'have', names: [name(1), name(2)] }), [])
    assert.deepEqual(wakesOf(door.hears(NEAR, { type: 'have', names: [name(2), name(3)] })), [['graft', GRAFT_AFTER_MS]])
    door.now += GRAFT_AFTER_MS
    const [graft] = sent(door.due('graft'), 'graft')
    assert.deepEqual([graft?.to, graft?.message.names], [NEAR, [name(3)]])
  })

  it('sends no name to who has said that it holds the event', () => {
    aside(FAR)
    door.feed({ type: 'own-stored', events: [own(1), own(2)] })
    door.hears(FAR, { type: 'have', names: [{ author: SELF, authorSeq: 1, hops: 0 }] })
    assert.equal(door.gossip.backlog(FAR), 1)
  })

  it('answers a graft from memory for five to ten seconds, then from the log', () => {
    door.held.set(AUTHOR, 7)
    door.push(FAR, eventOf(AUTHOR, 8))
    const grafted = () => door.hears(NEAR, { type: 'graft', names: [name(7), name(8), name(9)] })
    const fromLog = (effects: readonly GossipEffect[]) =>
      effects.flatMap((effect) => (effect.do === 'supply' ? [[effect.to, effect.id, effect.ranges]] : []))
    const range = (seq: number) => ({ author: AUTHOR, from: seq, to: seq })
    for (let turn = 0; turn < 2; turn++) {
      assert.deepEqual([pushedTo(grafted(), NEAR), fromLog(grafted())], [1, [[NEAR, 0, [range(7)]]]])
      assert.deepEqual(wakesOf(door.due('seen')), [['seen', 5_000]])
    }
    door.held.set(AUTHOR, 8)
    assert.deepEqual([pushedTo(grafted(), NEAR), fromLog(grafted())], [0, [[NEAR, 0, [range(7), range(8)]]]])
  })

  it('prunes a link that brings more copies than news and is none of the tree, and tells its place', () => {
    aside(FAR)
    door.push(NEAR, eventOf(AUTHOR, 1), eventOf(AUTHOR, 2))
    assert.deepEqual(sent(door.push(FAR, eventOf(AUTHOR, 1), eventOf(AUTHOR, 3)), 'prune'), [], 'as many copies as news')
    const effects = door.push(FAR, eventOf(AUTHOR, 1), eventOf(AUTHOR, 2), eventOf(AUTHOR, 4))
    assert.deepEqual(
      [...sent(effects, 'prune'), ...sent(effects, 'beacon')].map(({ to }) => to),
      [FAR, FAR],
    )
    assert.deepEqual(sent(door.push(NEAR, eventOf(AUTHOR, 1), eventOf(AUTHOR, 2)), 'prune'), [], 'a link of the tree')
  })

  it(`names up to ${SUPPLIED_NAMED_MAX} events of one supply to the others, and compares for more`, () => {
    for (const [count, named, soon] of [
      [SUPPLIED_NAMED_MAX, SUPPLIED_NAMED_MAX, 0],
      [SUPPLIED_NAMED_MAX + 1, 0, 1],
    ] as const) {
      door = new Door()
      door.link(NEAR, FAR)
      const [fetch] = sent(door.heads(NEAR, { author: AUTHOR, authorSeq: count }), 'fetch')
      const events = Array.from({ length: count }, (_, index) => eventOf(AUTHOR, index + 1))
      const effects = door.hears(NEAR, { type: 'supply', id: fetch?.message.id ?? -1, events, last: true })
      const have = sent(door.due('flush'), 'have')
      assert.equal(
        have.reduce((sum, { message }) => sum + message.names.length, 0),
        named,
      )
      assert.ok(have.every(({ to }) => to === FAR))
      assert.equal(wakesOf(effects).filter(([timer]) => timer === 'compare-soon').length, soon)
      assert.equal(sent(door.due('compare-soon'), 'summary').length, 2 * soon)
    }
  })

  it('takes another copy of what the log did not take', () => {
    door.push(NEAR, eventOf(AUTHOR, 1))
    door.feed({ type: 'ingest-done', took: false, failed: false, notTaken: [{ author: AUTHOR, authorSeq: 1 }] })
    assert.equal(pushedTo(door.push(NEAR, eventOf(AUTHOR, 1)), FAR), 0, 'it waits with the next push')
    assert.deepEqual([door.gossip.counts.eventsIn, door.gossip.counts.duplicates], [2, 0])
  })

  it('hands all that is held back to the log, and pushes what waits, before it stops', () => {
    door.push(NEAR, eventOf(AUTHOR, 1))
    door.push(NEAR, eventOf(AUTHOR, 2))
    assert.equal(door.gossip.heldBack, 2)
    const effects = door.feed({ type: 'drain' })
    assert.deepEqual([ingestedBy(effects).length, door.gossip.heldBack, pushedTo(effects, FAR)], [2, 0, 1])
    assert.equal(door.gossip.counts.eventsOut, 2)
  })

  it('holds an event back for a moment and then hands it to the log', () => {
    const wakes = wakesOf(door.push(NEAR, eventOf(AUTHOR, 1))).filter(([timer]) => timer === 'release')
    assert.deepEqual(wakes, [['release', HOLD_BACK_MS]])
    door.now += HOLD_BACK_MS - 1
    assert.deepEqual(ingestedBy(door.due('release')), [])
    door.now++
    assert.equal(ingestedBy(door.due('release')).length, 1)
  })

  it('asks nobody else for what it fetches when another message did not leave', () => {
    assert.equal(sent(door.heads(NEAR, { author: AUTHOR, authorSeq: 5 }), 'fetch').length, 1)
    assert.deepEqual(door.feed({ type: 'send-failed', to: NEAR, message: { type: 'prune' }, why: 'no-link' }), [])
    assert.deepEqual(sent(door.heads(FAR, { author: AUTHOR, authorSeq: 5 }), 'fetch'), [])
  })
})

describe('a log that fails', () => {
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

  it('compares when the pause is over, and when the log has taken something', () => {
    const door = new Door()
    door.link(NEAR)
    const took = { type: 'ingest-done', took: true, failed: false, notTaken: [] } as const
    assert.deepEqual(door.feed(took), [], 'it was well before')
    const failed = { type: 'ingest-done', took: false, failed: true, notTaken: [] } as const
    assert.deepEqual(wakesOf(door.feed(failed)), [['resume', 1_000]])
    assert.deepEqual(door.feed(failed), [], 'the pause goes on')
    assert.equal(sent(door.due('resume'), 'summary').length, 1)
    door.now += 1_000
    assert.equal(sent(door.feed(took), 'summary').length, 1)
    assert.deepEqual(wakesOf(door.feed(failed)), [['resume', 1_000]], 'and short again')
    door.due('resume')
    assert.deepEqual(door.feed({ ...took, took: false }), [], 'it has taken nothing')
    assert.deepEqual(wakesOf(door.feed(failed)), [['resume', 2_000]], 'so it is not well')
  })

  it('takes copies again, when the pause is over, of what came in it', () => {
    const door = new Door()
    door.link(NEAR)
    door.feed({ type: 'ingest-done', took: false, failed: true, notTaken: [] })
    const news = () => {
      const before = door.gossip.counts.eventsIn
      door.push(NEAR, eventOf(AUTHOR, 1))
      return door.gossip.counts.eventsIn - before
    }
    assert.equal(news(), 1)
    door.now += HOLD_BACK_MS
    assert.deepEqual([ingestedBy(door.due('release')), news()], [[], 0])
    door.due('resume')
    assert.equal(news(), 1)
  })
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
