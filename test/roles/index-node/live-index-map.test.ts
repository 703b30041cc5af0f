import assert from 'node:assert/strict'
import { type Millis, signRevocation } from '../../../src/events/index.ts'
import {
  OWNER_COUNT,
  ownersOf,
  PARTITION_COUNT,
  parseQuery,
  partitionOf,
} from '../../../src/projections/keyword-index/index.ts'
import { coveringWords } from '../../../src/roles/index-node/covering-words.ts'
import { liveIndexMap } from '../../../src/roles/index-node/live-index-map.ts'
import { TEST_OWNER } from '../../events/test-network.ts'
import { node } from '../../projections/envelopes.ts'
import { IndexNetwork } from '../index-network.ts'
import { openSmallLog, type SmallLog } from '../small-log.ts'

const BROADCAST_MAX = 16

describe('the words that cover a query', () => {
  const table: [query: string, words: string[]][] = [
    ['orbit', ['orbit']],
    // The longest, since long words tend to be rare; each hit has all of them.
    ['a quiet interplanetary orbit', ['interplanetary']],
    ['cats | elephants', ['cats', 'elephants']],
    // One word that all hits have is better than one of two.
    ['cats | elephants film', ['film']],
    ['"low orbit"', ['orbit']],
    ['"low orbit" | comet', ['orbit', 'comet']],
    ['orb* film', ['film']],
    // A hit may have nothing but the prefix.
    ['orb*', []],
    ['orb* | film', []],
    ['-orbit film', ['film']],
    ['size:>1GB film', ['film']],
    ['size:>1GB', []],
    ['cats | cats', ['cats']],
    // Every way to write it needs its word.
    ['spider-man', ['spider', 'spiderman']],
    ['spider-man homecoming', ['homecoming']],
    ['the spider-man', ['spider', 'spiderman']],
    ['müller', ['muller', 'mueller']],
    ['1x05', ['s01e05']],
    ['"big bunny*"', ['big']],
    ['"x 人"', ['x']],
    ['x26*', []],
    [`film ${'0f'.repeat(20)}`, [`btih:${'0f'.repeat(20)}`]],
    [`film | ${'0f'.repeat(20)}`, ['film', `btih:${'0f'.repeat(20)}`]],
    ['film size:big', []],
    ['', []],
    ['!!! ***', []],
  ]
  for (const [query, words] of table) {
    it(`of ${JSON.stringify(query)} are ${words.join(', ') || 'none'}`, () => {
      assert.deepEqual(
        coveringWords(parseQuery(query), () => undefined),
        words,
      )
    })
  }

  const documents: Record<string, number> = {
    interplanetary: 9_000,
    quiet: 3,
    orbit: 500,
    elephants: 40,
    cats: 700,
    film: 10_000,
    books: 9_999,
  }
  const known: [query: string, words: string[]][] = [
    ['interplanetary orbit', ['orbit']],
    ['interplanetary orbit quiet', ['quiet']],
    // Nothing is known of it: it is rare, or its owner says that it is not.
    ['orbit comet', ['comet']],
    ['comet interplanetary meteorite', ['meteorite']],
    ['"interplanetary orbit"', ['orbit']],
    ['"interplanetary orbit" | cats', ['orbit', 'cats']],
    // One owner fewer is asked for one word of all hits, however common.
    ['cats | elephants interplanetary', ['interplanetary']],
    ['cats | elephants orbit | quiet', ['orbit', 'quiet']],
    ['books spider-man', ['books']],
    // Of a word that is in more documents than its owner looks at, two others are better.
    ['film spider-man', ['spider', 'spiderman']],
  ]
  for (const [query, words] of known) {
    it(`of ${JSON.stringify(query)} are ${words.join(', ')}, where it is known how common they are`, () => {
      assert.deepEqual(
        coveringWords(parseQuery(query), (word) => documents[word]),
        words,
      )
    })
  }
})

describe('the map of the index', () => {
  let network: IndexNetwork
  afterEach(() => network[Symbol.asyncDispose]())

  it('asks owners of each part, everyone for a prefix, and nobody for nothing', async () => {
    network = await IndexNetwork.start({ indexNodes: 6, clients: 1 })
    const { map } = network.client()
    const parts = (text: string) => map.plan(text).map(({ keyword, partition }) => [keyword, partition])
    assert.deepEqual(parts('cats | elephants'), [
      ['cats', partitionOf('cats')],
      ['elephants', partitionOf('elephants')],
    ])
    for (const { keyword, owners } of map.plan('cats | elephants')) {
      assert.equal(owners.length, OWNER_COUNT)
      assert.deepEqual(owners, map.ownersOf(keyword ?? ''))
    }
    assert.deepEqual(
      map.plan('ele*').map(({ owners }) => owners),
      map.indexNodes().map((id) => [id]),
    )
    assert.deepEqual(map.plan('size:>1GB').length, 6)
    assert.deepEqual(map.plan(''), [])
    assert.deepEqual(map.plan('-cats'), [])
  })

  it('asks one of all where each owns everything', async () => {
    network = await IndexNetwork.start({ indexNodes: 3, clients: 1 })
    const { map } = network.client()
    assert.deepEqual(map.plan('ele*'), [{ keyword: null, partition: null, owners: map.indexNodes() }])
    const [only, ...more] = map.plan('cats | elephants')
    assert.deepEqual([only?.keyword, only?.owners.length, more], ['cats', 3, []])
  })

  it('is the same at every node, shares partitions evenly, and follows who comes and goes', async () => {
    network = await IndexNetwork.start({ indexNodes: 5, clients: 1 })
    const { map } = network.client()
    const nodes = map.indexNodes()
    assert.deepEqual(
      network.maps.map((each) => each.indexNodes()),
      network.maps.map(() => nodes),
    )
    const owned = nodes.flatMap((id) => map.partitionsOf(id))
    assert.equal(owned.length, PARTITION_COUNT * OWNER_COUNT)
    for (const { partition, rank, owners } of owned.slice(0, 200)) {
      assert.deepEqual(owners, ownersOf(partition, nodes))
      assert.ok(rank >= 1 && rank <= OWNER_COUNT)
    }
    const [gone] = map.ownersOf('orbit')
    assert.ok(gone)
    network.at(gone).crash()
    await network.until('it is known to be dead', () => !map.indexNodes().includes(gone), 60_000)
    assert.deepEqual(
      map.ownersOf('orbit'),
      ownersOf(
        partitionOf('orbit'),
        nodes.filter((id) => id !== gone),
      ),
    )
    assert.deepEqual(map.partitionsOf(gone), [])
  })
  it('leaves out a node at once when the owner puts it out, everywhere', async () => {
    network = await IndexNetwork.start({ indexNodes: 4, clients: 1 })
    const { map, node } = network.client()
    const [gone] = map.ownersOf('orbit')
    assert.ok(gone)
    const word = signRevocation({ key: gone, at: 1 as Millis, reason: '' }, TEST_OWNER)
    await node.log.append([{ event: { kind: 'access.revoked', ...word } }])
    assert.equal(map.ownersOf('orbit').includes(gone), false)
    assert.deepEqual(map.partitionsOf(gone), [])
    const others = network.maps.filter((_, at) => network.indexNodes[at]?.id !== gone)
    const isOut = () => others.every((each) => !each.indexNodes().includes(gone))
    await network.until('nobody gives it a partition', isOut, 10_000)
  })
})

describe('the map of an index, by what one node sees', () => {
  let own: SmallLog
  beforeEach(async () => {
    own = await openSmallLog()
  })
  afterEach(() => own[Symbol.asyncDispose]())
  const said = (kind: 'member.alive' | 'member.dead' | 'member.left', name: string, subject = node(name)) => ({
    event: {
      ...({ kind, subject, incarnation: 1, role: 'index' } as const),
      ...{ host: '127.0.0.1', port: 4_000, dhtPort: 0 },
    },
  })

  it('asks sixteen of many for a prefix, and no more', async () => {
    const map = liveIndexMap(own.states)
    await own.log.append(Array.from({ length: BROADCAST_MAX }, (_, at) => said('member.alive', `index ${at}`)))
    assert.deepEqual(
      map.plan('ele*').map(({ owners }) => owners),
      map.indexNodes().map((id) => [id]),
    )
    await own.log.append([said('member.alive', 'one more')])
    assert.deepEqual([map.indexNodes().length, map.plan('ele*').length], [BROADCAST_MAX + 1, BROADCAST_MAX])
  })

  it('has a node that is said to be dead for as long as this node hears from it, from one moment to the next', async () => {
    let isHeard = true
    const map = liveIndexMap(own.states, {
      isMember: () => true,
      stateOf: ({ state }) => (state === 'dead' && isHeard ? 'alive' : state),
    })
    await own.log.append([said('member.alive', 'ada'), said('member.alive', 'bob'), said('member.dead', 'bob')])
    const both = [...map.indexNodes()].sort()
    assert.deepEqual(both, [node('ada'), node('bob')].sort())
    isHeard = false
    assert.deepEqual([map.indexNodes(), map.ownersOf('orbit')], [[node('ada')], [node('ada')]])
    isHeard = true
    assert.deepEqual([[...map.indexNodes()].sort(), [...map.ownersOf('orbit')].sort()], [both, both])
  })

  it('leaves out who has left, whatever is heard of it', async () => {
    const map = liveIndexMap(own.states, { isMember: () => true, stateOf: () => 'alive' })
    await own.log.append([said('member.alive', 'itself', own.id)])
    assert.deepEqual(map.indexNodes(), [own.id])
    await own.log.append([said('member.left', 'itself', own.id)])
    assert.deepEqual([map.indexNodes(), map.plan('orbit')], [[], []])
  })
})
