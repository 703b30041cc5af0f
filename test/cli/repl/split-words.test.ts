import assert from 'node:assert/strict'
import fc from 'fast-check'
import { splitWords } from '../../../src/cli/repl/split-words.ts'

const texts = (line: string) => splitWords(line).words.map(({ text }) => text)

describe('words of a typed line', () => {
  const cases: [line: string, words: string[]][] = [
    ['', []],
    ['   ', []],
    ['search  the   sea', ['search', 'the', 'sea']],
    ['add "my film.torrent"', ['add', 'my film.torrent']],
    ["add 'my film.torrent'", ['add', 'my film.torrent']],
    ['add my\\ film.torrent', ['add', 'my film.torrent']],
    ['publish a"b c"d', ['publish', 'ab cd']],
    ['title ""', ['title', '']],
    [`say "a \\"quoted\\" word"`, ['say', 'a "quoted" word']],
    ['say "back\\slash"', ['say', 'back\\slash']],
    ["say 'it\\s'", ['say', 'it\\s']],
    ['tab\there', ['tab', 'here']],
  ]
  for (const [line, words] of cases) it(`cuts ${JSON.stringify(line)}`, () => assert.deepEqual(texts(line), words))

  it('says which quote is open', () => {
    assert.equal(splitWords('add "my film').open, '"')
    assert.equal(splitWords("add 'my film").open, "'")
    assert.equal(splitWords('add my\\').open, '\\')
    assert.equal(splitWords('add my').open, undefined)
  })

  it('gives back any words that were quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        const line = words.map((word) => `"${word.replace(/["\\]/g, '\\$&')}"`).join(' ')
        assert.deepEqual(texts(line), words)
      }),
    )
  })
})
