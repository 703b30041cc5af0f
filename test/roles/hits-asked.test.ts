import { equal, throws } from 'node:assert/strict'
import { hitsAsked } from '../../src/roles/hits-asked.ts'
import { HITS_DEFAULT, HITS_MAX } from '../../src/roles/services.ts'

describe('the number of hits that is asked for', () => {
  it('is from one to all that an answer has', () => {
    for (const limit of [1, 2, HITS_MAX - 1, HITS_MAX]) equal(hitsAsked(limit), limit)
  })

  it('is the default where none is named', () => {
    equal(hitsAsked(), HITS_DEFAULT)
    equal(hitsAsked(undefined), HITS_DEFAULT)
  })

  it('is refused below and above, with the bounds', () => {
    for (const limit of [0, -1, HITS_MAX + 1, Number.NaN]) {
      throws(() => hitsAsked(limit), {
        code: 'usage',
        message: `a search gives 1 to ${HITS_MAX} hits, not ${limit}; its cursor goes on after them`,
      })
    }
  })
})
