import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import {
  BroadcastTree,
  GRAFT_AFTER_MS,
  GRAFT_GAP_MS,
  PUSH_GAP_MS,
  type Pushed,
} from '../../../src/network/gossip/broadcast-tree.ts'

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
