import { deepEqual, equal } from 'node:assert/strict'
import fc from 'fast-check'
import { canSlip, isOneSlip, SAME_BEGINNING, slipsOfBeginning } from '../../../../src/projections/keyword-index/text/index.ts'

/** Damerau's distance with swaps of neighbours, by its definition. */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, row) =>
    Array.from({ length: b.length + 1 }, (_, column) => (row === 0 ? column : column === 0 ? row : 0)),
  )
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Number.POSITIVE_INFINITY
  for (let row = 1; row <= a.length; row++) {
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1]
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      const found = Math.min(
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + (isSame ? 0 : 1),
        isSwap ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
      )
      ;(rows[row] as number[])[column] = found
    }
  }
  return at(a.length, b.length)
}

const letters = (alphabet: string, minLength = 0) =>
  fc.array(fc.constantFrom(...alphabet), { minLength, maxLength: 8, size: 'max' }).map((all) => all.join(''))

describe('a slip of the finger', () => {
  it('is one letter too many, too few, another, or two in the wrong order, and nothing else', () => {
    for (const slip of ['plnts', 'plaants', 'plamts', 'palnts', 'xplants', 'lants', 'plant', 'plantss'])
      equal(isOneSlip('plants', slip) && isOneSlip(slip, 'plants'), true, slip)
    for (const other of ['plants', 'plnt', 'palnst', 'stnalp', 'plantssss', '']) equal(isOneSlip('plants', other), false, other)
    fc.assert(
      fc.property(letters('abc'), letters('abc'), (a, b) => {
        equal(isOneSlip(a, b), distance(a, b) === 1, `${a} ${b}`)
      }),
      { numRuns: 2_000 },
    )
  })

  it('in the first two letters makes all words that are one away and begin otherwise, each once', () => {
    fc.assert(
      fc.property(letters('abcx', 4), (word) => {
        const made = [...slipsOfBeginning(word)]
        equal(new Set(made).size, made.length)
        for (const one of made) {
          equal(distance(word, one), 1, `${word} ${one}`)
          equal(one.startsWith(word.slice(0, SAME_BEGINNING)), false)
        }
      }),
    )
    const longer = (words: readonly string[]): string[] => words.flatMap((word) => [...'abx'].map((letter) => word + letter))
    const three = longer(longer(longer([''])))
    const all = [...three, ...longer(three), ...longer(longer(three))]
    for (const word of ['abxa', 'aabb', 'xxxx', 'baba']) {
      const made = new Set(slipsOfBeginning(word))
      const expected = all.filter((one) => distance(word, one) === 1 && !one.startsWith(word.slice(0, SAME_BEGINNING)))
      deepEqual(
        expected.filter((one) => !made.has(one)),
        [],
        word,
      )
    }
    equal([...slipsOfBeginning('омсква')].includes('москва'), true)
  })

  it('is looked for in words of letters alone, of 4 to 32', () => {
    const words = ['wind', 'орел', 'a'.repeat(32)]
    deepEqual(words.map(canSlip), [true, true, true])
    deepEqual(['win', 'a'.repeat(33), 's01e05', '2020', 'x264', ''].map(canSlip), [false, false, false, false, false, false])
  })
})
