import { deepEqual, equal } from 'node:assert/strict'
import { correctedQuery, mayBeSlips } from '../../src/roles/corrected-query.ts'

describe('a corrected query', () => {
  const corrections = new Map([['plnts', 'plants']])

  it('has other words in the place of those that were typed, whatever stands around them', () => {
    equal(correctedQuery('plnts', corrections), 'plants')
    equal(correctedQuery('  alpine  PLNTS -video size:>1GB ', corrections), '  alpine  plants -video size:>1GB ')
    equal(correctedQuery('plnts | PLNTS', corrections), 'plants | plants')
    equal(correctedQuery('alpine', corrections), undefined)
  })

  it('touches no filter, no exclusion, no beginning and no name of several words', () => {
    for (const query of ['-plnts', '!plnts', 'tag:plnts', 'plnts*', 'plnts.mkv', "plnts's", 'plnts2'])
      equal(correctedQuery(query, corrections), undefined, query)
  })

  it('asks for the plain words of a query, each once, and no more than the most', () => {
    deepEqual(mayBeSlips('Alpine plnts alpine 2020 the s01e05 -video "green river" tag:x', 8), ['alpine', 'plnts'])
    deepEqual(mayBeSlips('Alpine plnts alpine', 1), ['alpine'])
  })
})
