import assert from 'node:assert/strict'
import { CREDENTIAL_FAULTS, type Genesis } from '../../../src/events/index.ts'
import { credentialSentence, joinStringSentence } from '../../../src/roles/node/credential-sentences.ts'

const network = { name: 'films' } as Genesis
/** Whoever copied it badly, or has an old program, needs nothing of the owner. */
const OWN_BUSINESS = new Set(['malformed', 'mistyped', 'newer'])

describe('what an operator is told whose node is not let in', () => {
  it('is, of every fault, a sentence that says what to do, with the role that is asked for', () => {
    for (const fault of CREDENTIAL_FAULTS) {
      for (const [role, standing] of [
        ['client', 'client'],
        ['relay', 'member'],
      ] as const) {
        const sentence = credentialSentence(fault, network, role as Parameters<typeof credentialSentence>[2])
        assert.match(sentence, /"films"/, fault)
        assert.ok(
          sentence.includes(`ask its owner for a join string (\`p2pt network invite --role ${standing}\`)`),
          `${fault}: ${sentence}`,
        )
        assert.ok(sentence.includes('start once with --join STRING'))
        assert.equal(sentence.includes('--data DIR'), fault === 'revoked', 'a key that was put out stays out')
        const string = joinStringSentence(fault, network, role as Parameters<typeof credentialSentence>[2])
        assert.equal(string.includes(`network invite --role ${standing}`), !OWN_BUSINESS.has(fault), `${fault}: ${string}`)
        assert.equal(string.includes('"films"'), !OWN_BUSINESS.has(fault), `${fault}: ${string}`)
      }
    }
  })

  it('is another sentence for each fault of a join string', () => {
    const all = CREDENTIAL_FAULTS.map((fault) => joinStringSentence(fault, network, 'client'))
    assert.equal(new Set(all).size, all.length)
    for (const [at, fault] of CREDENTIAL_FAULTS.entries())
      if (OWN_BUSINESS.has(fault)) assert.match(all[at] ?? '', /join string/)
  })

  it('names no network where that cannot be read, and the standing that it was not made for', () => {
    assert.match(joinStringSentence('expired', undefined, 'client'), /for its network has expired/)
    assert.match(
      joinStringSentence('role', network, 'client'),
      /is for members of the network "films", and a node of role client is a client/,
    )
  })
})
