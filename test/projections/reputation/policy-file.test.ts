import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import {
  ANCESTOR,
  LOCAL_ONLY,
  POLICY_FILE_LENGTH_MAX,
  type Policy,
  PolicyFileError,
  policyConsequences,
  policyFileText,
  readPolicyFile,
  SEED_V1,
  SHIPPED_POLICIES,
} from '../../../src/projections/reputation/index.ts'
import { piecesToBan } from '../../../src/projections/reputation/policy-consequences.ts'
import { document } from '../../docs/documents.ts'
import { node } from '../envelopes.ts'

const fields = (change: object = {}, parameters: object = {}) => {
  const whole = JSON.parse(policyFileText(SEED_V1)) as { parameters: object }
  return { ...whole, parameters: { ...whole.parameters, ...parameters }, ...change }
}
const refusal = (value: unknown): string => {
  try {
    readPolicyFile(typeof value === 'string' ? value : JSON.stringify(value))
  } catch (error) {
    assert.ok(error instanceof PolicyFileError)
    return error.message
  }
  return assert.fail(`taken: ${JSON.stringify(value)}`)
}

describe('a policy file', () => {
  it('gives back the policy it was written from, its trusted keys once each and in order', () => {
    const policy: Policy = { ...SEED_V1, id: 'mine', bad: 7, trusted: [node('a'), node('b')].sort() }
    assert.deepEqual(readPolicyFile(policyFileText(policy)), policy)
    const doubled = fields({ trusted: [node('b'), node('a'), node('b')] })
    assert.deepEqual(readPolicyFile(JSON.stringify(doubled)).trusted, policy.trusted)
  })

  it('is there for each policy that comes with p2pt', () => {
    assert.deepEqual([...SHIPPED_POLICIES.keys()], ['ancestor', 'seed-v1', 'local-only'])
    for (const [name, policy] of SHIPPED_POLICIES) {
      const file = readFileSync(new URL(`../../../policies/${name}.json`, import.meta.url), 'utf8')
      assert.equal(file, policyFileText(policy))
      assert.deepEqual(readPolicyFile(file), policy)
    }
  })

  it('says what to mend: a wrong, a missing or an extra field', () => {
    const { bad: _bad, ...withoutBad } = fields().parameters as Record<string, number>
    const { trusted: _trusted, ...withoutTrusted } = fields() as Record<string, unknown>
    const cases: readonly [unknown, RegExp][] = [
      ['{', /^it is not JSON$/],
      ['[]', /no JSON object/],
      ['null', /no JSON object/],
      [`"${'x'.repeat(POLICY_FILE_LENGTH_MAX)}"`, /more than 65536 characters/],
      [fields({ colour: 1 }), /no field "colour"; known are policy, parameters, trusted/],
      [withoutTrusted, /the field "trusted" is missing/],
      [fields({ policy: 'Not a name' }), /"policy" must be a name/],
      [fields({ policy: 'x'.repeat(65) }), /"policy" must be a name/],
      [fields({ policy: 7 }), /"policy" must be a name/],
      [fields({ parameters: [] }), /"parameters" must be an object/],
      [fields({ parameters: withoutBad }), /the parameter "bad" is missing/],
      [fields({}, { badd: 5 }), /no parameter "badd"; known are start, good, bad,/],
      [fields({}, { bad: '5' }), /"bad" must be a whole number from 0 to 1000000, not "5"/],
      [fields({}, { bad: 1.5 }), /"bad" must be a whole number/],
      [fields({}, { bad: -1 }), /"bad" must be a whole number/],
      [fields({}, { bad: 1_000_001 }), /"bad" must be a whole number/],
      [fields({}, { windowPieces: 4097 }), /"windowPieces" must be a whole number from 1 to 4096/],
      [fields({}, { gossipBans: 2 }), /"gossipBans" must be a whole number from 0 to 1/],
      [fields({}, { strangerWeight: 1001 }), /"strangerWeight" must be a whole number from 0 to 1000/],
      [fields({ trusted: ['abc'] }), /"trusted" must be a list of up to 32 node ids/],
      [fields({ trusted: Array.from({ length: 33 }, (_, index) => node(`${index}`)) }), /up to 32 node ids/],
    ]
    for (const [value, message] of cases) assert.match(refusal(value), message)
    assert.equal(readPolicyFile(JSON.stringify(fields({}, { bad: 1_000_000 }))).bad, 1_000_000)
    assert.equal(readPolicyFile(JSON.stringify(fields({ policy: 'x'.repeat(64) }))).id.length, 64)
  })
})

describe('what a policy comes to', () => {
  it('is told in sentences that are computed from its parameters', () => {
    assert.deepEqual(policyConsequences(SEED_V1), [
      'A peer that sends nothing but bad pieces is banned after about 21.',
      'A peer that spoils every second piece is banned after about 49.',
      'A peer that spoils one piece in five is banned after about 102.',
      'A peer that spoils one piece in twenty is banned after about 203.',
      'The word of a key that nothing is known of weighs nothing.',
      'One reporter moves a peer by at most 30 points.',
      'What others say bans nobody that sent no bad piece here.',
      'Praise lifts no score.',
      'No trusted keys ban without evidence seen here.',
    ])
    assert.deepEqual(policyConsequences(ANCESTOR).slice(2), [
      'A peer that spoils one piece in five is banned after about 467.',
      'A peer that spoils one piece in twenty is not banned in 5,000 of them.',
      'The word of a key that nothing is known of weighs 100 % of a full one.',
      'One reporter moves a peer by at most 1,000,000 points.',
      'What others say bans alone: one liar is enough.',
      'Praise lifts a score, so a ring that praises itself gains.',
      'No trusted keys ban without evidence seen here.',
    ])
    assert.deepEqual(policyConsequences(LOCAL_ONLY).slice(4, 7), [
      'What others say moves no score.',
      'One reporter moves a peer by at most 0 points.',
      'Nobody is banned by what others say.',
    ])
  })

  it('changes with them', () => {
    assert.equal(piecesToBan({ ...SEED_V1, bad: 101 }, 1), 1)
    assert.equal(piecesToBan({ ...SEED_V1, bad: 0, windowBad: 4096 }, 1), undefined)
    const clamped: Policy = { ...SEED_V1, gossipBans: 1, strangerWeight: 500 }
    assert.equal(policyConsequences(clamped)[6], 'What others say bans alone: 7 liars are enough.')
    assert.equal(
      policyConsequences({ ...clamped, strangerWeight: 0 })[6],
      'What others say bans alone, once they have earned weight.',
    )
    const trusted = [node('a'), node('b')]
    assert.equal(
      policyConsequences({ ...SEED_V1, trusted }).at(-1),
      'The evidence of 2 of the 2 trusted keys bans without any seen here.',
    )
  })

  it('stands in the documentation, for each policy that comes with p2pt', () => {
    const text = document('docs/reputation.md')
    for (const [name, policy] of SHIPPED_POLICIES)
      for (const sentence of policyConsequences(policy)) assert.ok(text.includes(`- ${sentence}\n`), `${name}: ${sentence}`)
  })
})
