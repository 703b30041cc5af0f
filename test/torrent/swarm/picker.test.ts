import assert from 'node:assert/strict'
import fc from 'fast-check'
import { bitfieldOf, hasBit } from '../../../src/torrent/piece-ranges.ts'
import { Picker, type Priority } from '../../../src/torrent/swarm/picker.ts'
import { RarityOrder } from '../../../src/torrent/swarm/rarity-order.ts'
import type { NamedBlock } from '../../../src/torrent/wire/messages.ts'
import { randomFrom } from '../../sim/random.ts'

const BLOCK = 16_384
const ALWAYS = () => true
const newPicker = (pieceCount: number, blocks = 4, seed = 1) =>
  new Picker<string>({
    pieceCount,
    pieceBytes: (index) => (index === pieceCount - 1 ? 100 : blocks * BLOCK),
    random: randomFrom(seed),
  })
const names = (blocks: readonly NamedBlock[]): string[] => blocks.map(({ index, offset }) => `${index}:${offset / BLOCK}`)
const pieces = (blocks: readonly NamedBlock[]): number[] => [...new Set(blocks.map(({ index }) => index))]
const everything = (count: number) => bitfieldOf([{ first: 0, count }], count)

describe('the order of rarity', () => {
  it('is by priority, then by how many have a piece, whatever came and went', () => {
    const change = fc.record({
      index: fc.nat(29),
      what: fc.constantFrom('more', 'less', 'out', 'in'),
      priority: fc.integer({ min: 1, max: 3 }),
    })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 300, size: 'max' }), (changes) => {
        const order = new RarityOrder(30)
        const model = new Map<number, { priority: number; availability: number }>()
        for (const { index, what, priority } of changes) {
          const known = model.get(index)
          if (what === 'in' && known === undefined) {
            model.set(index, { priority, availability: 2 })
            order.enter(index, priority, 2)
          } else if (what === 'out' && known !== undefined) {
            model.delete(index)
            order.remove(index, known.priority, known.availability)
          } else if (what === 'more' && known !== undefined) order.commoner(index, known.priority, known.availability++)
          else if (what === 'less' && known !== undefined && known.availability > 0)
            order.rarer(index, known.priority, known.availability--)
          const listed = Array.from({ length: order.length }, (_, place) => order.at(place))
          assert.deepEqual(listed.toSorted(), [...model.keys()].sort())
          const ranks = listed.map((each) => -1_000 * (model.get(each)?.priority ?? 0) + (model.get(each)?.availability ?? 0))
          assert.deepEqual(
            ranks,
            ranks.toSorted((a, b) => a - b),
          )
          for (let each = 0; each < 30; each++) assert.equal(order.includes(each), model.has(each))
        }
      }),
    )
  })

  it('tells apart no more than 63 peers, and counts on beyond', () => {
    const order = new RarityOrder(2)
    order.enter(0, 2, 0)
    order.enter(1, 2, 0)
    for (let before = 0; before < 200; before++) order.commoner(0, 2, before)
    assert.equal(order.at(0), 1)
    for (let before = 200; before > 0; before--) order.rarer(0, 2, before)
    for (let before = 0; before < 3; before++) order.commoner(1, 2, before)
    assert.equal(order.at(0), 0)
  })
})

describe('the picker', () => {
  it('goes on with a piece before it begins another, and gives each peer a piece of its own', () => {
    const picker = newPicker(20)
    for (const peer of ['a', 'b']) {
      picker.join(peer)
      picker.hasAll(peer)
    }
    const [first, second] = [picker.pick('a', 2, ALWAYS), picker.pick('b', 3, ALWAYS)]
    assert.notDeepEqual(pieces(first), pieces(second))
    assert.deepEqual(pieces(picker.pick('a', 2, ALWAYS)), pieces(first))
    assert.deepEqual([picker.owed('a'), picker.owed('b')], [4, 3])
  })

  it('takes the rarest first once four pieces are here, and the first ones at random', () => {
    const firsts = new Set<number>()
    for (let seed = 1; seed <= 20; seed++) {
      const picker = newPicker(100, 1, seed)
      for (const [peer, count] of [
        ['a', 100],
        ['b', 99],
        ['c', 98],
      ] as const) {
        picker.join(peer)
        picker.hasBits(peer, everything(count))
      }
      const [block] = picker.pick('a', 1, ALWAYS)
      firsts.add(block?.index ?? -1)
      for (let index = 0; index < 4; index++) picker.setVerified(index)
      const rest = pieces(picker.pick('a', 3, ALWAYS)).filter((index) => index !== block?.index)
      assert.ok(rest[0] === 99 || block?.index === 99, `${rest}`)
    }
    assert.ok(firsts.size > 10, `${firsts.size}`)
  })

  it('follows the priorities, and in sequence if it is told to', () => {
    const picker = newPicker(50, 1)
    picker.join('a')
    picker.hasAll('a')
    for (let index = 0; index < 4; index++) picker.setVerified(index)
    picker.setPriority(30, 3)
    picker.setPriority(31, 0)
    for (let index = 40; index < 50; index++) picker.setPriority(index, 1)
    assert.deepEqual(pieces(picker.pick('a', 1, ALWAYS)), [30])
    const next = pieces(picker.pick('a', 34, ALWAYS))
    assert.ok(next.every((index) => index < 40 && index !== 31))
    assert.equal(next.length, 34)
    assert.ok(pieces(picker.pick('a', 100, ALWAYS)).every((index) => index >= 40))
    assert.equal(picker.wantedLeft, 45)
    const sequential = newPicker(50, 1)
    sequential.sequential = true
    sequential.join('a')
    sequential.hasAll('a')
    assert.deepEqual(pieces(sequential.pick('a', 5, ALWAYS)), [0, 1, 2, 3, 4])
  })

  it('asks of no peer what it must not, and asks whether it may only of pieces that it would ask for', () => {
    const picker = newPicker(10, 2)
    picker.join('a')
    picker.hasBits('a', bitfieldOf([{ first: 2, count: 3 }], 10))
    const questions: number[] = []
    const blocks = picker.pick('a', 20, (index) => {
      questions.push(index)
      return index !== 3
    })
    assert.deepEqual(pieces(blocks).sort(), [2, 4])
    assert.ok(questions.every((index) => index >= 2 && index <= 4))
  })

  it('asks in the endgame what others owe, a few blocks at a time, of three at most, and has the others cancelled', () => {
    const picker = newPicker(3, 4)
    for (const peer of ['slow', 'a', 'b', 'c']) {
      picker.join(peer)
      picker.hasAll(peer)
    }
    const owed = picker.pick('slow', 100, ALWAYS)
    assert.equal(owed.length, 9)
    const [a, b, c] = ['a', 'b', 'c'].map((peer) => names(picker.pick(peer, 100, ALWAYS)))
    assert.deepEqual([a?.length, b?.length, c?.length], [4, 4, 4])
    const all = [...(a ?? []), ...(b ?? []), ...(c ?? [])]
    for (const name of all) assert.ok(all.filter((other) => other === name).length <= 2)
    assert.deepEqual(picker.pick('a', 100, ALWAYS), [], 'it has four already')
    const [piece = 0, at = 0] = (a?.[0] ?? '').split(':').map(Number)
    const block = owed.find(({ index, offset }) => index === piece && offset === at * BLOCK)
    assert.ok(block)
    const received = picker.received('a', block.index, block.offset, block.length)
    assert.equal(received.what, 'new')
    assert.ok(received.others.includes('slow') && !received.others.includes('a'))
    assert.equal(picker.received('slow', block.index, block.offset, block.length).what, 'unwanted')
  })

  it('takes nothing that was not asked for, of another length, or at another place', () => {
    const picker = newPicker(3, 2)
    picker.join('a')
    picker.join('b')
    picker.hasAll('a')
    picker.hasAll('b')
    const [block] = picker.pick('a', 1, ALWAYS)
    assert.ok(block)
    const { index, offset, length } = block
    for (const [peer, ...rest] of [
      ['b', index, offset, length],
      ['a', index, offset, length - 1],
      ['a', index, offset + 1, length],
      ['a', index, offset + BLOCK, length],
      ['a', index + 1, offset, length],
      ['a', 0xffffffff, offset, length],
      ['a', index, 0xffffffff, length],
    ] as const)
      assert.equal(picker.received(peer, ...(rest as [number, number, number])).what, 'unwanted')
    assert.equal(picker.owed('a'), 1)
    assert.equal(picker.received('a', index, offset, length).what, 'new')
  })

  it('drops what is here of a piece for a peer that must have it untouched', () => {
    const picker = newPicker(1, 4)
    const large = new Picker<string>({ pieceCount: 1, pieceBytes: () => 4 * BLOCK, random: () => 0 })
    for (const peer of ['a', 'b']) {
      large.join(peer)
      large.hasAll(peer)
    }
    const [block] = large.pick('a', 1, ALWAYS)
    assert.ok(block)
    assert.equal(large.drop(0), false, 'it is owed')
    large.received('a', 0, block.offset, block.length)
    assert.equal(large.isUntouched(0), false)
    // The way the swarm asks for a peer on parole.
    const blocks = large.pick('b', 10, () => large.isUntouched(0) || large.drop(0))
    assert.deepEqual(names(blocks).sort(), ['0:0', '0:1', '0:2', '0:3'])
    assert.equal(picker.drop(0), false)
  })

  it('begins no more than 128 MiB, and drops a piece that nobody here has for another one', () => {
    const dropped: number[] = []
    const pieceBytes = () => 128 * 1024 * 1024
    const picker = new Picker<string>({
      pieceCount: 3,
      pieceBytes,
      random: randomFrom(1),
      dropped: (index) => dropped.push(index),
    })
    const only = (...indexes: readonly number[]) =>
      bitfieldOf(
        indexes.map((index) => ({ first: index, count: 1 })),
        3,
      )
    picker.join('a')
    picker.hasBits('a', only(0))
    picker.join('b')
    picker.hasBits('b', only(1, 2))
    assert.equal(picker.pick('a', 2, ALWAYS).length, 2)
    assert.deepEqual(picker.pick('b', 10, ALWAYS), [], 'it is full')
    picker.received('a', 0, 0, BLOCK)
    picker.releaseAll('a')
    assert.deepEqual(picker.pick('b', 10, ALWAYS), [], 'the peer may go on with it')
    picker.leave('a')
    assert.deepEqual([picker.pick('b', 10, ALWAYS).length, dropped, picker.isUntouched(0)], [10, [0], true])
    picker.join('a')
    picker.hasBits('a', only(0))
    assert.deepEqual(picker.pick('a', 10, ALWAYS), [], 'it is full again')
  })

  it('drops a piece that only those have who give nothing, and no other', () => {
    const giving = new Set(['stranger', 'other'])
    const picker = new Picker<string>({
      pieceCount: 2,
      pieceBytes: () => 128 * 1024 * 1024,
      random: randomFrom(1),
      gives: (peer) => giving.has(peer),
    })
    picker.join('stranger')
    picker.hasAll('stranger')
    const [block] = picker.pick('stranger', 1, ALWAYS)
    assert.ok(block)
    picker.received('stranger', block.index, block.offset, block.length)
    picker.join('other')
    picker.hasBits('other', bitfieldOf([{ first: 1 - block.index, count: 1 }], 2))
    assert.deepEqual(picker.pick('other', 1, ALWAYS), [], 'it may go on with it')
    giving.delete('stranger')
    assert.deepEqual(pieces(picker.pick('other', 1, ALWAYS)), [1 - block.index])
    assert.equal(picker.isUntouched(block.index), true)
  })

  it('begins pieces one after the other of a peer that prefers runs, as far as it has them and may be asked', () => {
    const runsOf = (options: { has?: number[]; isRefused?: (index: number) => boolean } = {}) => {
      const picker = newPicker(12, 1, 3)
      picker.join('web', true)
      if (options.has === undefined) picker.hasAll('web')
      else
        picker.hasBits(
          'web',
          bitfieldOf(
            options.has.map((first) => ({ first, count: 1 })),
            12,
          ),
        )
      const mayAsk = (index: number) => options.isRefused?.(index) !== true
      return Array.from({ length: 12 }, () => picker.pick('web', 1, mayAsk)[0]?.index).filter((index) => index !== undefined)
    }
    const breaks = (order: readonly number[]) => order.filter((index, at) => at > 0 && index !== (order[at - 1] ?? 0) + 1)
    const all = runsOf()
    assert.deepEqual(
      all.toSorted((a, b) => a - b),
      Array.from({ length: 12 }, (_, index) => index),
    )
    assert.ok(breaks(all).length <= 1, `${all}`)
    const some = runsOf({ has: [3, 4, 5, 8, 9] })
    assert.deepEqual(
      some.toSorted((a, b) => a - b),
      [3, 4, 5, 8, 9],
    )
    assert.ok(breaks(some).length <= 3, `${some}`)
    assert.ok(!runsOf({ isRefused: (index) => index === 6 }).includes(6))
  })

  it('asks nothing of a peer that it does not know, nor a block where none is wanted', () => {
    const picker = newPicker(3)
    assert.deepEqual([picker.pick('nobody', 5, ALWAYS), picker.owed('nobody'), picker.isInteresting('nobody')], [[], 0, false])
    assert.deepEqual(
      [picker.lost('nobody', 0), picker.hasAll('nobody'), picker.hasBits('nobody', everything(3)), picker.releaseAll('nobody')],
      [[], [], [], []],
    )
    picker.join('a')
    picker.hasAll('a')
    assert.deepEqual([picker.pick('a', 0, ALWAYS), picker.pick('a', -1, ALWAYS)], [[], []])
    assert.equal(
      [0, 1, 2].every((index) => picker.isUntouched(index)),
      true,
    )
  })

  it('gives so many blocks as are wanted, over pieces that were begun and others', () => {
    const picker = newPicker(4, 3)
    picker.join('a')
    picker.hasAll('a')
    for (const count of [1, 1, 2, 3]) assert.equal(picker.pick('a', count, ALWAYS).length, count)
    assert.equal(picker.owed('a'), 7)
    picker.releaseAll('a')
    assert.equal(picker.owed('a'), 0)
    picker.join('b')
    picker.hasAll('b')
    assert.equal(picker.pick('b', 5, ALWAYS).length, 5)
  })

  it('tells what peers owe of a piece that is not wanted any more, and of no other', () => {
    const picker = newPicker(2, 3)
    for (const peer of ['a', 'b']) {
      picker.join(peer)
      picker.hasAll(peer)
    }
    const blocks = picker.pick('a', 20, ALWAYS)
    assert.deepEqual([picker.setPriority(0, 3), picker.setPriority(0, 3)], [[], []])
    const owed = picker.setPriority(0, 0)
    assert.deepEqual(
      owed.map(([peer, list]) => [peer, names(list)]),
      [
        ['a', names(blocks.filter(({ index }) => index === 0))],
        ['b', []],
      ],
    )
    assert.equal(picker.owed('a'), blocks.filter(({ index }) => index === 1).length)
    assert.deepEqual([picker.setPriority(0, 2), picker.wantedLeft], [[], 2])
  })

  it('looks at 256 new pieces that must not be asked of a peer, and leaves it alone then', () => {
    for (const sequential of [false, true]) {
      const picker = newPicker(600, 1)
      picker.sequential = sequential
      picker.join('a')
      picker.hasAll('a')
      for (let index = 0; index < 4; index++) picker.setVerified(index)
      let questions = 0
      const ask = (allowedAt: number) => {
        questions = 0
        return picker.pick('a', 1, () => ++questions === allowedAt).length
      }
      assert.deepEqual([ask(256), questions], [1, 256])
      picker.releaseAll('a')
      assert.deepEqual([ask(257), questions], [0, 256])
    }
  })

  it('goes on with what a peer that left has begun', () => {
    const picker = newPicker(6, 3)
    for (const peer of ['a', 'b']) {
      picker.join(peer)
      picker.hasAll(peer)
    }
    const [block] = picker.pick('a', 1, ALWAYS)
    assert.ok(block)
    picker.received('a', block.index, block.offset, block.length)
    assert.notEqual(picker.pick('b', 1, ALWAYS)[0]?.index, block.index, 'it is that of the other')
    picker.releaseAll('b')
    picker.leave('a')
    assert.equal(picker.pick('b', 1, ALWAYS)[0]?.index, block.index)
  })

  it('is complete with its last block, and open again when its hash is wrong', () => {
    const picker = newPicker(2, 2)
    picker.join('a')
    picker.hasAll('a')
    const blocks = picker.pick('a', 2, ALWAYS).filter(({ index }) => index === 0)
    const rest = [...blocks, ...picker.pick('a', 9, ALWAYS)].filter(({ index }) => index === 0)
    assert.deepEqual(
      rest.map(({ index, offset, length }) => picker.received('a', index, offset, length).complete),
      [false, true],
    )
    assert.equal(picker.drop(0), false, 'it waits for its verdict')
    picker.failed(0)
    assert.equal(picker.isUntouched(0), true)
    assert.equal(picker.pick('a', 9, ALWAYS).filter(({ index }) => index === 0).length, 2)
    picker.unverify(0)
    assert.equal(picker.wantedLeft, 2, 'it was not verified')
    for (const _ of [1, 2]) picker.setVerified(0)
    assert.equal(picker.wantedLeft, 1)
    for (const _ of [1, 2]) picker.unverify(0)
    assert.equal(picker.wantedLeft, 2)
  })

  /** A model that keeps everything in the simplest way, beside the picker, over any history. */
  it('keeps its promises over any history', () => {
    const step = fc.record({
      what: fc.constantFrom(
        'pick',
        'pick',
        'pick',
        'receive',
        'receive',
        'receive',
        'release',
        'releaseAll',
        'leave',
        'join',
        'bits',
        'all',
        'has',
        'lost',
        'verify',
        'fail',
        'priority',
        'unverify',
      ),
      peer: fc.nat(4),
      number: fc.nat(10_000),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 250, size: 'max' }), fc.integer({ min: 1, max: 12 }), (steps, pieceCount) => {
        const picker = newPicker(pieceCount, 3)
        const blocksOf = (index: number) => (index === pieceCount - 1 ? 1 : 3)
        const has = new Map<string, Set<number>>()
        const owed = new Map<string, Map<string, NamedBlock>>()
        const got = new Map<number, Set<number>>()
        const verified = new Set<number>()
        const priorities = new Map<number, number>()
        /** Those that said they have all count for no piece. */
        const haveAll = new Set<string>()
        const fresh = (peer: string) =>
          [...(has.get(peer) ?? [])].filter(
            (index) => !verified.has(index) && priorities.get(index) !== 0 && picker.isUntouched(index),
          )
        /** The lower the sooner: priority, then how many have it. */
        const rank = (index: number): number => {
          const availability = [...has].filter(([peer, had]) => !haveAll.has(peer) && had.has(index)).length
          return availability - 100 * (priorities.get(index) ?? 2)
        }
        const forget = (index: number) => {
          got.delete(index)
          for (const blocks of owed.values())
            for (const [name, block] of [...blocks]) if (block.index === index) blocks.delete(name)
        }
        const owes = (name: string) => [...owed.values()].filter((blocks) => blocks.has(name)).length
        const openLeft = (peer?: string) => {
          for (let index = 0; index < pieceCount; index++) {
            if (verified.has(index) || priorities.get(index) === 0) continue
            if (peer !== undefined && has.get(peer)?.has(index) !== true) continue
            for (let at = 0; at < blocksOf(index); at++)
              if (!got.get(index)?.has(at) && owes(`${index}:${at}`) === 0) return true
          }
          return false
        }
        const release = (peer: string, blocks: readonly NamedBlock[]) => {
          for (const name of names(blocks)) assert.ok(owed.get(peer)?.delete(name), name)
        }
        for (const { what, peer: number, number: n } of steps) {
          const peer = `p${number}`
          const index = n % pieceCount
          const mine = owed.get(peer)
          const isHere = has.has(peer)
          if (what === 'join' && !isHere) {
            picker.join(peer)
            has.set(peer, new Set())
            owed.set(peer, new Map())
          } else if (what === 'leave' && isHere) {
            picker.leave(peer)
            has.delete(peer)
            owed.delete(peer)
            haveAll.delete(peer)
          } else if (what === 'all' && isHere) {
            picker.hasAll(peer)
            haveAll.add(peer)
            has.set(peer, new Set(Array.from({ length: pieceCount }, (_, at) => at)))
          } else if (what === 'bits' && isHere && mine !== undefined) {
            const bits = Uint8Array.from({ length: Math.ceil(pieceCount / 8) }, (_, at) => (n >> (at * 4)) & 255)
            const now = new Set(Array.from({ length: pieceCount }, (_, at) => at).filter((at) => hasBit(bits, at)))
            const released = picker.hasBits(peer, bits)
            assert.deepEqual(
              names(released).sort(),
              [...mine.values()]
                .filter((block) => !now.has(block.index))
                .map((block) => names([block])[0])
                .sort(),
            )
            has.set(peer, now)
            haveAll.delete(peer)
            release(peer, released)
          } else if (what === 'has' && isHere) {
            picker.has(peer, index)
            has.get(peer)?.add(index)
          } else if (what === 'lost' && isHere) {
            release(peer, picker.lost(peer, index))
            haveAll.delete(peer)
            has.get(peer)?.delete(index)
            assert.ok([...(owed.get(peer)?.values() ?? [])].every((block) => block.index !== index))
          } else if (what === 'pick' && isHere && mine !== undefined) {
            const wasOpen = openLeft()
            const couldOpen = openLeft(peer)
            const untouched = fresh(peer)
            const blocks = picker.pick(peer, 1 + (n % 6), ALWAYS)
            const begun = pieces(blocks).filter((each) => untouched.includes(each))
            for (const [at, each] of begun.entries()) {
              const later = untouched.filter((other) => !begun.slice(0, at).includes(other))
              if (verified.size >= 4)
                assert.equal(rank(each), Math.min(...later.map(rank)), 'the rarest of the highest priority')
            }
            if (couldOpen) assert.ok(blocks.length > 0, 'a block that nobody owes is asked for')
            for (const block of blocks) {
              const [name = ''] = names([block])
              assert.ok(has.get(peer)?.has(block.index) && !verified.has(block.index), 'it has it, and we do not')
              assert.ok(!mine.has(name) && !got.get(block.index)?.has(block.offset / BLOCK))
              assert.ok(wasOpen ? owes(name) === 0 : owes(name) < 3, 'nothing is asked twice before the endgame')
              mine.set(name, block)
            }
          } else if (what === 'receive' && mine !== undefined && mine.size > 0) {
            const block = [...mine.values()][n % mine.size] as NamedBlock
            const [name = ''] = names([block])
            const others = [...owed].filter(([other, blocks]) => other !== peer && blocks.has(name)).map(([other]) => other)
            const received = picker.received(peer, block.index, block.offset, block.length)
            assert.deepEqual([received.what, [...received.others].sort()], ['new', others.sort()])
            for (const blocks of owed.values()) blocks.delete(name)
            got.set(block.index, (got.get(block.index) ?? new Set()).add(block.offset / BLOCK))
            assert.equal(received.complete, got.get(block.index)?.size === blocksOf(block.index))
          } else if (what === 'release' && mine !== undefined && mine.size > 0) {
            const block = [...mine.values()][n % mine.size] as NamedBlock
            picker.released(peer, block.index, block.offset)
            mine.delete(names([block])[0] ?? '')
          } else if (what === 'releaseAll' && isHere) {
            release(peer, picker.releaseAll(peer))
            assert.equal(owed.get(peer)?.size, 0)
          } else if (what === 'verify') {
            picker.setVerified(index)
            forget(index)
            verified.add(index)
          } else if (what === 'unverify') {
            picker.unverify(index)
            verified.delete(index)
          } else if (what === 'fail' && got.get(index)?.size === blocksOf(index)) {
            picker.failed(index)
            forget(index)
          } else if (what === 'priority') {
            const priority = (n % 4) as Priority
            picker.setPriority(index, priority)
            if (priority === 0) forget(index)
            priorities.set(index, priority)
          }
          const lacking = Array.from({ length: pieceCount }, (_, at) => at).filter(
            (at) => !verified.has(at) && priorities.get(at) !== 0,
          )
          assert.equal(picker.wantedLeft, lacking.length)
          for (const [each, had] of has) {
            assert.equal(picker.owed(each), owed.get(each)?.size, `what ${each} owes`)
            assert.equal(
              picker.isInteresting(each),
              lacking.some((at) => had.has(at)),
            )
          }
        }
      }),
      { numRuns: 400 },
    )
  })
})
