import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import {
  BroadcastTree,
  GRAFT_AFTER_MS,
  GRAFT_AGAIN_MS,
  GRAFT_GAP_MS,
  LAZY_FLUSH_MS,
  NAMES_MAX,
  PUSH_BYTES_MAX,
  PUSH_GAP_MS,
  type Pushed,
  pushes,
} from '../../../src/network/gossip/broadcast-tree.ts'
import { encodeWire, WIRE_ITEMS_MAX } from '../../../src/network/wire.ts'
import { peerOf, sent } from './gossip-at-the-door.ts'

const id = (digit: string): NodeId => digit.repeat(64) as NodeId
const [AUTHOR, NEAR, OTHER] = [id('a'), id('1'), id('2')]

const event = (authorSeq: number, first = false): Pushed => ({
  ...{ author: AUTHOR, authorSeq, hops: 1, first },
  event: { body: Uint8Array.of(authorSeq), signature: new Uint8Array(64) },
})

describe('broadcast tree', () => {
  let tree: BroadcastTree
  beforeEach(() => {
    tree = new BroadcastTree({ pushesTo: () => true })
    for (const peer of [NEAR, OTHER]) tree.linkUp(peer)
  })

  /** The events of each message, by whom it is for. */
  const pushedIn = (effects: ReturnType<BroadcastTree['spread']>) =>
    effects.flatMap((effect) =>
      effect.do === 'send' && effect.message.type === 'push'
        ? [[effect.to, effect.message.events.map(({ event: { body } }) => body[0])]]
        : [],
    )

  it('sends an event on at once, and those that follow closely in one message', () => {
    const effects = tree.spread([event(1)], OTHER)
    assert.deepEqual(pushedIn(effects), [[NEAR, [1]]])
    assert.deepEqual(effects.at(-1), { do: 'wake', afterMs: PUSH_GAP_MS, timer: { name: 'push' } })
    assert.deepEqual(tree.spread([event(2)], OTHER), [])
    assert.deepEqual(tree.spread([event(3)], OTHER), [])
    assert.deepEqual(pushedIn(tree.pushWaiting()), [[NEAR, [2, 3]]])
    assert.deepEqual(tree.pushWaiting(), [])
    assert.deepEqual(pushedIn(tree.spread([event(4)], OTHER)), [[NEAR, [4]]])
  })

  it('sends verdicts that waited before what else did', () => {
    tree.spread([event(1)], OTHER)
    tree.spread([event(2)], OTHER)
    tree.spread([event(3, true)], OTHER)
    assert.deepEqual(pushedIn(tree.pushWaiting()), [
      [NEAR, [3]],
      [NEAR, [2]],
    ])
  })

  it('sends nothing to a neighbour that is gone, and asks it for nothing', () => {
    tree.heard(OTHER, { author: AUTHOR, authorSeq: 9, hops: 1 }, 0)
    tree.linkDown(OTHER)
    assert.equal(tree.has(OTHER), false)
    assert.deepEqual(pushedIn(tree.spread([event(1)], undefined)), [[NEAR, [1]]])
    assert.deepEqual([tree.grafted(OTHER), tree.isEager(OTHER)], [false, true])
    assert.deepEqual(tree.graft(GRAFT_AFTER_MS), [])
    tree.heard(OTHER, { author: AUTHOR, authorSeq: 8, hops: 1 }, 0)
    assert.deepEqual(tree.graftWake(), [])
    tree.linkUp(OTHER)
    assert.equal(tree.backlog(OTHER), 0)
  })

  it('asks for nothing that has come meanwhile, and each neighbour once however often it names an event', () => {
    const asked = (now: number) =>
      tree
        .graft(now)
        .flatMap((each) => (each.do === 'send' && each.message.type === 'graft' ? [[each.to, each.message.names.length]] : []))
    for (const authorSeq of [1, 2]) tree.heard(NEAR, { author: AUTHOR, authorSeq, hops: 1 }, 0)
    tree.heard(NEAR, { author: AUTHOR, authorSeq: 2, hops: 1 }, 10)
    tree.spread([event(1)], NEAR)
    assert.deepEqual(asked(GRAFT_AFTER_MS), [[NEAR, 1]])
    assert.deepEqual(asked(GRAFT_AFTER_MS + GRAFT_AGAIN_MS - 1), [])
    assert.deepEqual(asked(GRAFT_AFTER_MS + GRAFT_AGAIN_MS), [], 'nobody is left to ask')
    assert.deepEqual(tree.graftWake(), [], 'anti-entropy brings it')
  })

  it('prunes a link once a second at most, which is not pushed to any more, and none of the tree', () => {
    assert.deepEqual(tree.redundant(NEAR, 0), [], 'of the tree')
    const lazy = new BroadcastTree({ pushesTo: () => false })
    lazy.linkUp(NEAR)
    const prunes = (now: number) => lazy.redundant(NEAR, now).length
    assert.equal(lazy.grafted(NEAR), true)
    assert.equal(lazy.isEager(NEAR), true)
    assert.deepEqual([prunes(0), lazy.isEager(NEAR)], [1, false])
    assert.deepEqual([prunes(999), prunes(1_000), lazy.redundant(OTHER, 5_000)], [0, 1, []])
    lazy.grafted(NEAR)
    lazy.pruned(NEAR)
    assert.equal(lazy.isEager(NEAR), false)
  })

  describe('over lazy links', () => {
    const lazyTree = (): BroadcastTree => {
      const lazy = new BroadcastTree({ pushesTo: () => false })
      for (const peer of [NEAR, OTHER]) lazy.linkUp(peer)
      return lazy
    }
    const haves = (effects: ReturnType<BroadcastTree['spread']>) =>
      sent(effects, 'have').map(({ to, message }) => [to, message.names])
    const name = (authorSeq: number) => ({ author: AUTHOR, authorSeq, hops: 1 })
    const FLUSH = { do: 'wake', afterMs: LAZY_FLUSH_MS, timer: { name: 'flush' } }

    it('names an event to all but whom it came from, when the timer goes off, which is set once', () => {
      const lazy = lazyTree()
      assert.deepEqual(lazy.spread([event(1)], OTHER), [FLUSH])
      assert.deepEqual(lazy.spread([event(2)], undefined), [])
      assert.deepEqual([lazy.backlog(NEAR), lazy.backlog(OTHER), lazy.backlog(id('9'))], [2, 1, 0])
      assert.deepEqual(haves(lazy.flush()), [
        [NEAR, [name(1), name(2)]],
        [OTHER, [name(2)]],
      ])
      assert.deepEqual(lazy.flush(), [])
      assert.deepEqual(lazy.spread([event(3)], OTHER), [FLUSH])
    })

    it('tells a neighbour nothing that it has shown it holds', () => {
      const lazy = lazyTree()
      lazy.spread([event(1), event(2)], OTHER)
      lazy.knownTo(NEAR, [{ author: AUTHOR, authorSeq: 1 }])
      lazy.knownTo(id('9'), [{ author: AUTHOR, authorSeq: 2 }])
      assert.deepEqual(haves(lazy.flush()), [[NEAR, [name(2)]]])
    })

    it('pushes to whoever asked, and names to the others', () => {
      const lazy = lazyTree()
      assert.equal(lazy.grafted(NEAR), true)
      const effects = lazy.spread([event(1)], undefined)
      assert.deepEqual(pushedIn(effects), [[NEAR, [1]]])
      assert.deepEqual(haves(lazy.flush()), [[OTHER, [name(1)]]])
      assert.deepEqual([lazy.isEager(NEAR), lazy.isEager(OTHER)], [true, false])
      lazy.pruned(id('9'))
      assert.equal(lazy.isEager(id('9')), false)
    })

    it('only names what came by anti-entropy, over eager links too', () => {
      assert.deepEqual(tree.spread([event(1)], NEAR, true), [FLUSH])
      assert.deepEqual(haves(tree.flush()), [[OTHER, [name(1)]]])
    })

    it('names so many in a message as one holds', () => {
      const lazy = lazyTree()
      const all = Array.from({ length: WIRE_ITEMS_MAX + 1 }, (_, index) => event(index + 1))
      lazy.spread(all, OTHER)
      assert.deepEqual(
        sent(lazy.flush(), 'have').map(({ message }) => message.names.length),
        [WIRE_ITEMS_MAX, 1],
      )
    })

    it('sets one timer for what is missing, and says when to ask again', () => {
      const lazy = lazyTree()
      lazy.heard(NEAR, name(1), 0)
      lazy.heard(OTHER, name(1), 5)
      assert.deepEqual(lazy.graftWake(), [{ do: 'wake', afterMs: GRAFT_AFTER_MS, timer: { name: 'graft' } }])
      assert.deepEqual(lazy.graftWake(), [])
      const again = { do: 'wake', afterMs: GRAFT_AGAIN_MS, timer: { name: 'graft' } }
      for (const to of [NEAR, OTHER]) {
        const now = to === NEAR ? GRAFT_AFTER_MS : GRAFT_AFTER_MS + GRAFT_AGAIN_MS
        assert.deepEqual(lazy.graft(now), [{ do: 'send', to, message: { type: 'graft', names: [name(1)] } }, again])
        assert.equal(lazy.isEager(to), true, 'who is asked is pushed from')
      }
      assert.deepEqual(lazy.graft(1e9), [])
      lazy.heard(NEAR, name(2), 0)
      assert.equal(lazy.graftWake().length, 1, 'set anew')
    })
  })

  it('sends what is urgent apart, and says so', () => {
    const effects = tree.spread([event(1), event(2, true)], OTHER)
    assert.deepEqual(
      effects.flatMap((each) => (each.do === 'send' ? [each.urgent] : [])),
      [true, false],
    )
    assert.deepEqual(sent(pushes(NEAR, [event(1)]), 'push')[0]?.message.events, [{ event: event(1).event, hops: 1 }])
  })

  it('fills a push as far as a message goes, and goes on in the next', () => {
    const sized = (authorSeq: number, bytes: number): Pushed => ({
      ...event(authorSeq),
      event: { body: new Uint8Array(bytes - 80).fill(authorSeq), signature: new Uint8Array(64) },
    })
    const four = (bytes: number) => [1, 2, 3, 4].map((authorSeq) => sized(authorSeq, bytes))
    assert.deepEqual(pushedIn(pushes(NEAR, four(PUSH_BYTES_MAX / 4))), [[NEAR, [1, 2, 3, 4]]])
    assert.deepEqual(pushedIn(pushes(NEAR, four(PUSH_BYTES_MAX / 4 + 1))), [
      [NEAR, [1, 2, 3]],
      [NEAR, [4]],
    ])
    assert.deepEqual(pushes(NEAR, []), [])
    for (const effect of pushes(NEAR, four(PUSH_BYTES_MAX / 4))) assert.ok(effect.do === 'send' && encodeWire(effect.message))
  })

  it('does not push what the neighbour has shown that it holds', () => {
    tree.spread([event(1)], OTHER)
    tree.spread([event(2), event(3)], OTHER)
    tree.knownTo(NEAR, [{ author: AUTHOR, authorSeq: 2 }])
    assert.deepEqual(pushedIn(tree.pushWaiting()), [[NEAR, [3]]])
  })

  it('asks for each missing event when its time has come, whatever else is missing', () => {
    const asked = (now: number) => {
      const effects = tree.graft(now)
      const names = effects.flatMap((each) => (each.do === 'send' && each.message.type === 'graft' ? each.message.names : []))
      const wakes = effects.flatMap((each) => (each.do === 'wake' ? [each.afterMs] : []))
      return { numbers: names.map(({ authorSeq }) => authorSeq), wakes }
    }
    tree.heard(NEAR, { author: AUTHOR, authorSeq: 1, hops: 1 }, 0)
    tree.heard(OTHER, { author: AUTHOR, authorSeq: 2, hops: 1 }, 100)
    tree.heard(OTHER, { author: AUTHOR, authorSeq: 3, hops: 1 }, 101)
    assert.deepEqual(asked(GRAFT_AFTER_MS), { numbers: [1], wakes: [100] })
    // The third comes 1 ms later, and waits so long that more may come with it.
    assert.deepEqual(asked(GRAFT_AFTER_MS + 100), { numbers: [2], wakes: [GRAFT_GAP_MS] })
    assert.deepEqual(asked(GRAFT_AFTER_MS + 150).numbers, [3])
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
    return { author: AUTHOR, authorSeq, hops: 1, event: { body, signature: new Uint8Array(64) } }
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
