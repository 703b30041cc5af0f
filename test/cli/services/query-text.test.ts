import assert from 'node:assert/strict'
import { queryText } from '../../../src/cli/services/query-text.ts'

describe('the query of a command line', () => {
  it('is its words, with the quotes that the shell took from a tag of several', () => {
    assert.equal(queryText(['alpine', 'tag:science fiction', '-size:>1 GB']), 'alpine tag:"science fiction" -size:>1 GB')
    assert.equal(queryText(['-tag:a b', '!Category:c d', 'tag:"e f"']), '-tag:"a b" !Category:"c d" tag:"e f"')
    assert.equal(queryText(['"big buck"', 'bunny']), '"big buck" bunny')
  })
})
