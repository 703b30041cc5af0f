import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import { Answers } from '../../../src/network/membership/answers.ts'

const peerOf = (number: number): NodeId => number.toString(16).padStart(64, '0') as NodeId
const [PEER, OTHER] = [peerOf(1), peerOf(2)]
const ANSWERS_MAX = 8_192

describe('answers of peers', () => {
  let answers: Answers
  beforeEach(() => {
    answers = new Answers()
  })

  it('are dated, and timed where it is known how long they took', () => {
    answers.add(PEER, 5, 3)
    assert.deepEqual([answers.at(PEER), answers.roundTripMs(PEER)], [5, 3])
    answers.add(PEER, 9, undefined)
    assert.deepEqual([answers.at(PEER), answers.roundTripMs(PEER)], [9, undefined])
    assert.deepEqual([answers.at(OTHER), answers.roundTripMs(OTHER)], [Number.NEGATIVE_INFINITY, undefined])
  })

  it('are of late from the moment on that is asked for', () => {
    answers.add(PEER, 5, 3)
    assert.deepEqual(
      [4, 5, 6].map((since) => answers.hasAnsweredSince(PEER, since)),
      [true, true, false],
    )
    assert.equal(answers.hasAnsweredSince(OTHER, 0), false)
  })

  it(`are remembered of ${ANSWERS_MAX} peers, and who answered longest ago gives way`, () => {
    for (let number = 1; number <= ANSWERS_MAX; number++) answers.add(peerOf(number), number, 1)
    answers.add(PEER, 10_000, 1)
    assert.equal(answers.at(OTHER), 2)
    answers.add(peerOf(ANSWERS_MAX + 1), 10_001, 1)
    assert.deepEqual([answers.at(PEER), answers.at(OTHER), answers.at(peerOf(3))], [10_000, Number.NEGATIVE_INFINITY, 3])
  })
})
