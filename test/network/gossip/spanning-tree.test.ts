import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { NodeId, Standing } from '../../../src/events/index.ts'
import type { GossipEffect } from '../../../src/network/gossip/gossip-protocol.ts'
import { BEACON_EVERY_MS, SpanningTree } from '../../../src/network/gossip/spanning-tree.ts'
import type { GossipMessage } from '../../../src/network/wire.ts'

const id = (index: number): NodeId => index.toString(16).padStart(64, '0') as NodeId

/** Spanning trees on a graph, with every message delivered in the order of sending. */
class Graph {
  readonly nodes = new Map<NodeId, SpanningTree>()
  readonly #links = new Set<string>()
  readonly #queue: { from: NodeId; to: NodeId; message: GossipMessage }[] = []
  now = 1_000_000

  constructor(count: number, clients: readonly number[] = []) {
    for (let index = 1; index <= count; index++) this.nodes.set(id(index), new SpanningTree(id(index), clients.includes(index)))
  }

  tree(index: number): SpanningTree {
    const tree = this.nodes.get(id(index))
    if (tree === undefined) throw new RangeError(`no node ${index}`)
    return tree
  }

  link(a: number, b: number): void {
    if (a === b || this.#links.has(`${id(a)} ${id(b)}`)) return
    this.#links.add(`${id(a)} ${id(b)}`).add(`${id(b)} ${id(a)}`)
    this.#take(id(a), this.tree(a).linkUp(id(b)))
    this.#take(id(b), this.tree(b).linkUp(id(a)))
  }

  cut(a: number, b: number): void {
    this.#links.delete(`${id(a)} ${id(b)}`)
    this.#links.delete(`${id(b)} ${id(a)}`)
    this.#take(id(a), this.tree(a).linkDown(id(b), this.now))
    this.#take(id(b), this.tree(b).linkDown(id(a), this.now))
  }

  /** Delivers everything. @returns false if it does not come to rest */
  settle(): boolean {
    for (let count = 0; count < 20_000; count++) {
      const next = this.#queue.shift()
      if (next === undefined) return true
      if (!this.#links.has(`${next.from} ${next.to}`) || next.message.type !== 'beacon') continue
      this.#take(next.to, this.nodes.get(next.to)?.receive(next.from, next.message, this.now) ?? [])
    }
    return false
  }

  /** Every node has its regular turn. */
  beat(): void {
    this.now += BEACON_EVERY_MS
    for (const [node, tree] of this.nodes) this.#take(node, tree.beat(this.now))
  }

  /** Who gets an event of this node if it is passed on over the tree alone, and with how many copies. */
  reached(from: number): { nodes: number; copies: number } {
    const got = new Set([id(from)])
    const queue = [{ node: id(from), via: undefined as NodeId | undefined }]
    let copies = 0
    for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
      for (const peer of this.nodes.keys()) {
        if (peer === at.via || !this.#links.has(`${at.node} ${peer}`) || !this.nodes.get(at.node)?.pushesTo(peer)) continue
        copies++
        if (got.has(peer)) continue
        got.add(peer)
        queue.push({ node: peer, via: at.node })
      }
    }
    return { nodes: got.size, copies }
  }

  #take(from: NodeId, effects: readonly GossipEffect[]): void {
    for (const effect of effects) if (effect.do === 'send') this.#queue.push({ from, to: effect.to, message: effect.message })
  }
}

/** A connected graph: a chain in a random order, and some links more. */
const graphs = fc
  .tuple(fc.integer({ min: 2, max: 25 }), fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 60, size: 'max' }))
  .map(([count, extra]) => {
    const graph = new Graph(count)
    const links: [number, number][] = []
    for (let index = 2; index <= count; index++) links.push([1 + ((index * 7_919) % (index - 1)), index])
    for (const [a, b] of extra) links.push([1 + (a % count), 1 + (b % count)])
    for (const [a, b] of links) graph.link(a, b)
    return { graph, count, links }
  })

describe('spanning tree', () => {
  it('comes to rest, and carries every event to every node once', () => {
    fc.assert(
      fc.property(graphs, ({ graph, count }) => {
        assert.ok(graph.settle())
        for (let index = 1; index <= count; index++) assert.deepEqual(graph.reached(index), { nodes: count, copies: count - 1 })
      }),
      { numRuns: 40 },
    )
  })

  it('still reaches every node right after a link broke, and is a tree again after two beats', () => {
    fc.assert(
      fc.property(graphs, fc.nat(), ({ graph, count, links }, choice) => {
        graph.settle()
        // A triangle over the link, so that the graph stays in one piece without it.
        const [a, b] = links[choice % links.length] ?? [1, 2]
        const c = 1 + ((a + b) % count)
        if (new Set([a, b, c]).size < 3) return
        graph.link(a, c)
        graph.link(b, c)
        graph.settle()
        graph.cut(a, b)
        assert.ok(graph.settle())
        assert.equal(graph.reached(a).nodes, count)
        assert.equal(graph.reached(b).nodes, count)
        for (let round = 0; round < 2; round++) {
          graph.beat()
          assert.ok(graph.settle())
        }
        for (let index = 1; index <= count; index++) assert.deepEqual(graph.reached(index), { nodes: count, copies: count - 1 })
      }),
      { numRuns: 40 },
    )
  })

  it('is rooted in a client only where there is nobody else', () => {
    const graph = new Graph(3, [1])
    graph.link(1, 2)
    graph.link(2, 3)
    graph.link(1, 3)
    graph.settle()
    // Rooted in node 2, the link between 1 and 3 is no part of the tree.
    assert.equal(graph.tree(1).pushesTo(id(3)), false)
    assert.equal(graph.tree(1).pushesTo(id(2)), true)
  })

  it('finds another root when the present one falls silent', () => {
    const graph = new Graph(4)
    for (const [a, b] of [
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 2],
    ] as const)
      graph.link(a, b)
    graph.settle()
    graph.cut(1, 2)
    graph.nodes.delete(id(1))
    for (let round = 0; round < 6; round++) {
      graph.beat()
      assert.ok(graph.settle())
    }
    for (let index = 2; index <= 4; index++) assert.deepEqual(graph.reached(index), { nodes: 3, copies: 2 })
  })

  it('costs copies but no events when a peer lies about the root', () => {
    const lie = fc.record({ root: fc.nat(30).map(id), distance: fc.nat(63), beat: fc.maxSafeNat(), parent: fc.boolean() })
    fc.assert(
      fc.property(graphs, fc.array(lie, { maxLength: 20, size: 'max' }), ({ graph, count }, lies) => {
        graph.settle()
        const liar = 'f'.repeat(64) as NodeId
        const victim = graph.tree(1)
        victim.linkUp(liar)
        for (const told of lies) victim.receive(liar, { type: 'beacon', client: false, ...told }, graph.now)
        assert.ok(graph.settle())
        assert.ok(graph.reached(1).nodes <= count)
        // Gone, and forgotten in time.
        victim.linkDown(liar, graph.now)
        for (let round = 0; round < 8; round++) {
          graph.beat()
          assert.ok(graph.settle())
        }
        for (let index = 1; index <= count; index++) assert.equal(graph.reached(index).nodes, count)
      }),
      { numRuns: 40 },
    )
  })

  it('has no root that is made up, or is said to be what it was not admitted as', () => {
    const [self, peer, member, client] = [id(9), id(8), id(2), id(3)]
    const standings = new Map<NodeId, Standing>([
      [peer, 'client'],
      [member, 'member'],
      [client, 'client'],
    ])
    const rootOf = (tree: SpanningTree) => {
      const told = tree.beaconFor(peer)
      return told.do === 'send' && told.message.type === 'beacon' ? told.message.root : undefined
    }
    const tree = new SpanningTree(self, false, (node) => standings.get(node) ?? 'client')
    tree.linkUp(peer)
    const claim = { type: 'beacon', client: false, distance: 1, beat: 7, parent: false } as const
    for (const root of [id(1), client]) {
      tree.receive(peer, { ...claim, root }, 0)
      assert.equal(rootOf(tree), self)
    }
    assert.equal(tree.pushesTo(peer), true)
    tree.receive(peer, { ...claim, root: member }, 0)
    assert.equal(rootOf(tree), member)
  })

  describe('of one node', () => {
    const [self, near, far] = [id(90), id(91), id(92)]
    let tree: SpanningTree
    beforeEach(() => {
      tree = new SpanningTree(self, false)
      for (const peer of [near, far]) tree.linkUp(peer)
    })
    const claims = (now: number, beat: number, more: { root?: NodeId; distance?: number; from?: NodeId } = {}) => {
      const { root = id(1), distance = 0, from = near } = more
      return tree.receive(from, { type: 'beacon', root, client: false, distance, beat, parent: false }, now)
    }
    const place = () => {
      const told = tree.beaconFor(near)
      assert.ok(told.do === 'send' && told.message.type === 'beacon')
      return told.message
    }

    it('believes a root as far away as can be counted, and none beyond', () => {
      claims(0, 1, { distance: 62 })
      assert.equal(place().root, self)
      claims(0, 1, { distance: 61 })
      assert.deepEqual([place().root, place().distance], [id(1), 62])
    })

    it('is its own root, and counts on with the time', () => {
      assert.deepEqual([place().root, place().distance, place().beat], [self, 0, 0])
      assert.equal(tree.beat(10 * BEACON_EVERY_MS).length, 3)
      assert.equal(place().beat, 10)
      tree.beat(10 * BEACON_EVERY_MS)
      assert.equal(place().beat, 11, 'and never back')
    })

    it('gives a root up that was not heard of for 50 s, and believes it again with a higher beat only', () => {
      claims(1_000, 7)
      tree.beat(51_000)
      assert.equal(place().root, id(1))
      tree.beat(51_001)
      assert.equal(place().root, self)
      claims(51_001, 7)
      assert.equal(place().root, self)
      claims(51_001, 8)
      assert.equal(place().root, id(1))
    })

    it('does not follow a root that counts faster than every five seconds', () => {
      claims(0, 1)
      assert.equal(claims(4_999, 2).length, 0)
      assert.equal(place().beat, 1)
      assert.equal(claims(5_000, 3).length, 2, 'all neighbours are told')
      assert.equal(place().beat, 3)
    })

    it('remembers 64 roots that are gone, and the oldest may come back', () => {
      const gone = (number: number) => {
        claims(0, 5, { root: id(number) })
        assert.equal(place().root, id(number))
        tree.rootGone(id(number), 0)
        assert.equal(place().root, self)
      }
      for (let number = 1; number <= 64; number++) gone(number)
      claims(0, 5, { root: id(1) })
      assert.equal(place().root, self)
      gone(65)
      claims(0, 5, { root: id(2) })
      assert.equal(place().root, self)
      claims(0, 5, { root: id(1) })
      assert.equal(place().root, id(1))
    })

    it('says nothing about a root that is not its own, and hears nobody who is no neighbour', () => {
      assert.deepEqual([tree.rootGone(self, 0), tree.rootGone(id(5), 0)], [[], []])
      assert.deepEqual(claims(0, 1, { from: id(7) }), [])
      assert.equal(place().root, self)
    })
  })
})
