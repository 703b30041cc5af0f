import assert from 'node:assert/strict'
import type { MemberEvent } from '../../../src/network/membership/member-table.ts'
import type { MembershipEffect } from '../../../src/network/membership/membership-protocol.ts'
import { OwnWord } from '../../../src/network/membership/own-word.ts'
import { ADDRESS, id, SELF } from './driven-membership.ts'

const START = 5

describe('the word of a node about itself', () => {
  let port: number
  let own: OwnWord
  beforeEach(() => {
    port = 1
    own = new OwnWord({ self: SELF, role: 'index', incarnation: START, address: () => ({ ...ADDRESS, port }) })
  })
  /** The word in an effect, as `kind incarnation`. */
  const wordOf = (effect: MembershipEffect | undefined): string | undefined => {
    if (effect === undefined) return undefined
    assert.ok(effect.do === 'append' && 'incarnation' in effect.event)
    return `${effect.event.kind} ${effect.event.incarnation}`
  }
  const word = (kind: MemberEvent['kind'], incarnation: number): MemberEvent => ({
    ...{ kind, subject: SELF, incarnation, role: 'index', ...ADDRESS },
  })
  const stores = (kind: MemberEvent['kind'], incarnation: number) => wordOf(own.stored(word(kind, incarnation)))
  const refutes = (belief: string, incarnation: number) => wordOf(own.refute(belief, incarnation))

  it('is at first that it is here, as what and where', () => {
    const event = { kind: 'member.alive', subject: SELF, incarnation: START, role: 'index', ...ADDRESS }
    assert.deepEqual(own.announce(), { do: 'append', event })
    port = 9
    const [again] = own.sayAgain()
    assert.ok(again?.do === 'append' && 'port' in again.event)
    assert.equal(again.event.port, 9, 'where it is now')
  })

  it('is said again as long as it is not stored, and no longer', () => {
    assert.deepEqual(own.sayAgain(), [])
    own.announce()
    assert.deepEqual(own.sayAgain().map(wordOf), [`member.alive ${START}`])
    assert.deepEqual(
      [word('member.alive', START), word('member.alive', START + 1), word('member.left', START)].map((each) =>
        own.isWanted(each),
      ),
      [true, false, false],
    )
    assert.equal(stores('member.alive', START), undefined)
    assert.deepEqual([own.sayAgain(), own.isWanted(word('member.alive', START))], [[], false])
  })

  describe('against an accusation', () => {
    beforeEach(() => {
      own.announce()
      stores('member.alive', START)
    })

    it('is one incarnation higher, for each thing that is no life', () => {
      for (const belief of ['suspect', 'dead', 'left'] as const) {
        const incarnation = own.incarnation
        assert.equal(refutes(belief, incarnation), `member.refuted ${incarnation + 1}`)
        assert.equal(own.incarnation, incarnation, 'until it is stored')
        stores('member.refuted', incarnation + 1)
        assert.equal(own.incarnation, incarnation + 1)
      }
    })

    it('is none where it is no accusation, or of an incarnation that the node did not announce last', () => {
      for (const belief of ['alive', 'unknown']) assert.equal(refutes(belief, START), undefined)
      for (const other of [START - 1, START + 1]) assert.equal(refutes('dead', other), undefined)
    })

    it('is said once, as long as it is not stored', () => {
      assert.equal(refutes('suspect', START), `member.refuted ${START + 1}`)
      assert.equal(refutes('dead', START), undefined)
      assert.deepEqual(own.sayAgain().map(wordOf), [`member.refuted ${START + 1}`])
    })

    it('is said also while the announcement itself is not stored yet', () => {
      const fresh = new OwnWord({ self: SELF, role: 'index', incarnation: START, address: () => ADDRESS })
      fresh.announce()
      assert.equal(wordOf(fresh.refute('dead', START)), `member.refuted ${START + 1}`)
    })

    it('is none once the node has left', () => {
      own.leave()
      assert.deepEqual([own.hasLeft, refutes('dead', START)], [true, undefined])
    })
  })

  it('is at last a goodbye, of the highest incarnation that was said, stored or not', () => {
    own.announce()
    stores('member.alive', START)
    assert.equal(own.hasLeft, false)
    refutes('dead', START)
    assert.equal(wordOf(own.leave()), `member.left ${START + 1}`)
    assert.equal(stores('member.left', START + 1), undefined)
    assert.deepEqual([own.hasLeft, own.incarnation, own.sayAgain()], [true, START + 1, []])
  })

  describe('of an earlier run, whose log is lost', () => {
    beforeEach(() => {
      own.announce()
      stores('member.alive', START)
    })

    it('is gone above, if it is higher than all that was said', () => {
      assert.equal(stores('member.alive', START + 3), `member.alive ${START + 4}`)
      assert.equal(own.incarnation, START + 3)
      stores('member.alive', START + 4)
      assert.equal(own.incarnation, START + 4)
    })

    it('changes nothing if it is not', () => {
      for (const kind of ['member.alive', 'member.refuted'] as const)
        for (const incarnation of [START, START - 1])
          assert.equal(stores(kind, incarnation), undefined, `${kind} ${incarnation}`)
      assert.equal(stores('member.left', START - 1), undefined)
      assert.equal(own.incarnation, START)
    })

    it('is gone above if it is a goodbye of the same incarnation, which holds against all that is said of it', () => {
      assert.equal(stores('member.left', START), `member.alive ${START + 1}`)
      assert.equal(stores('member.left', START), undefined, 'what is being said is higher')
    })

    it('is left alone if it is a goodbye, and the node says goodbye as well', () => {
      own.leave()
      assert.equal(stores('member.left', START), undefined)
      assert.equal(stores('member.left', START), undefined)
    })
  })

  it('knows its own by kind and incarnation', () => {
    own.announce()
    assert.equal(stores('member.left', START), `member.alive ${START + 1}`, 'that was not what it said')
    assert.equal(own.isWanted(word('member.alive', START + 1)), true)
    assert.notEqual(SELF, id('1'))
  })
})
