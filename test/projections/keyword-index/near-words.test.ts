import { deepEqual, equal } from 'node:assert/strict'
import { type KeywordIndexState, nearWords } from '../../../src/projections/keyword-index/index.ts'
import { EnvelopeMaker, hash, node } from '../envelopes.ts'
import { folded, writeSegment } from './index-states.ts'

describe('words of titles near a word that was typed', () => {
  const titled = (...titles: readonly string[]) => {
    const maker = new EnvelopeMaker()
    return titles.map((title, at) => {
      const described = { infoHash: hash(`${title} ${at}`), title, sizeBytes: 1, fileCount: 1, tags: [] }
      return maker.make(node(`author ${at % 3}`), { kind: 'torrent.published', ...described }, 'index')
    })
  }
  const near = (state: KeywordIndexState, typed: string) => {
    const steps = nearWords(state, typed)
    for (let turns = 0; ; turns++) {
      const { value, done } = steps.next()
      if (done === true) return { words: value.map(({ word }) => word), counts: value.map(({ documents }) => documents), turns }
    }
  }
  const both = (titles: readonly string[]): KeywordIndexState[] => {
    const [inMemory, inSegment] = [folded(titled(...titles)), folded(titled(...titles))]
    writeSegment(inSegment)
    return [inMemory, inSegment]
  }

  it('are those that two titles or more have, the commonest first, in memory and in segments', () => {
    const titles = ['alpine plants', 'red plants', 'wet plants', 'the planets', 'far planets', 'plans', 'a lone planty']
    for (const state of both(titles)) {
      deepEqual([near(state, 'plnts').words, near(state, 'plnts').counts], [['plants'], [3]])
      // One document alone has "planty" and "plans".
      deepEqual(near(state, 'plantz').words, ['plants'])
      // A slip in the first two letters.
      deepEqual(near(state, 'lpants').words, ['plants'])
      deepEqual(near(state, 'xplants').words, ['plants'])
      deepEqual(near(state, 'palnets').words, ['planets'])
      deepEqual(near(state, 'zebra').words, [])
    }
  })

  it('leave a word alone that titles have, unless another is ten times as common', () => {
    const rare = ['old plnts', ...Array.from({ length: 9 }, (_, at) => `plants ${at}`)]
    for (const state of both(rare)) deepEqual(near(state, 'plnts').words, [])
    for (const state of both([...rare, 'plants again'])) deepEqual(near(state, 'plnts').words, ['plants'])
    for (const state of both(rare)) deepEqual(near(state, 'plants').words, [])
  })

  it('are five at most, equal ones by their letters', () => {
    const words = ['sand', 'sane', 'sang', 'sank', 'sans', 'sant']
    for (const state of both(
      words.flatMap((word) => [`${word} one`, `${word} two`, ...(word === 'sant' ? ['sant three'] : [])]),
    ))
      deepEqual(near(state, 'sanx').words, ['sant', 'sand', 'sane', 'sang', 'sank'])
  })

  it('are looked for in steps', () => {
    const letters = [...'abcdefghij']
    const many = letters.flatMap((a) => letters.flatMap((b) => letters.map((c) => `pl${a}${b}${c}`)))
    for (const state of both([many.slice(0, 600).join(' '), many.slice(600).join(' ')]))
      equal(near(state, 'plzzz').turns >= 3, true)
  })
})
