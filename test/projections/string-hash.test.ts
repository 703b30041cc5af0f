import assert from 'node:assert/strict'
import fc from 'fast-check'
import { stringHash } from '../../src/projections/string-hash.ts'

describe('the hash of strings', () => {
  it('is what it was in every version, as nodes agree on it', () => {
    const known: [string, number][] = [
      ['', 6_381_903_796_322_155],
      ['a', 6_729_616_034_162_321],
      ['b', 7_289_309_536_362_922],
      ['ab', 7_022_020_414_816_930],
      ['ba', 1_928_017_589_267_681],
      ['ubuntu', 7_815_591_011_562_738],
      ['é', 6_200_943_772_506_706],
      ['水', 1_767_427_561_488_160],
      [' ', 8_305_248_211_159_134],
      [
        'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
        7_124_421_365_485_823,
      ],
    ]
    for (const [text, hash] of known) assert.equal(stringHash(text), hash, text)
  })

  it('is a whole number of 53 bits, of which every one is either way about as often', () => {
    const counts = new Array<number>(53).fill(0)
    const rounds = 4_000
    for (let at = 0; at < rounds; at++) {
      const hash = stringHash(`word ${at}`)
      assert.ok(Number.isSafeInteger(hash) && hash >= 0)
      for (let bit = 0; bit < 53; bit++) counts[bit] = (counts[bit] ?? 0) + (Math.floor(hash / 2 ** bit) % 2)
    }
    // Seven deviations of a fair coin: 32 each.
    for (const [bit, count] of counts.entries()) assert.ok(Math.abs(count - rounds / 2) < 7 * 32, `bit ${bit}: ${count}`)
  })

  it('differs where two strings do, as far as anybody has seen', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (a, b) => (a === b) === (stringHash(a) === stringHash(b))))
    const all = Array.from({ length: 20_000 }, (_, at) => stringHash(String(at)))
    assert.equal(new Set(all).size, all.length)
  })
})
