import assert from 'node:assert/strict'
import { LOCAL_ONLY, parametersOf, policyOf, SEED_V1 } from '../../../src/projections/reputation/index.ts'
import { policyAdopted } from '../../../src/roles/node/policy-adopted.ts'
import { ServiceError } from '../../../src/roles/services.ts'
import { node } from '../../projections/envelopes.ts'
import { judged } from '../../projections/reputation/scenes.ts'
import { openSmallLog } from '../small-log.ts'

const peer = node('peer')

describe('a policy that is adopted', () => {
  it('is told with all of its parameters, those that were left out as in the default', () => {
    const trusted = [node('a')]
    const all = parametersOf({ ...SEED_V1, trusted })
    assert.deepEqual(policyAdopted({ id: 'mine', parameters: { [`trust:${trusted[0]}`]: 1 } }), { id: 'mine', parameters: all })
    const local = { id: LOCAL_ONLY.id, parameters: parametersOf(LOCAL_ONLY) }
    assert.deepEqual(policyAdopted(local), local)
  })

  it('is refused with what a fold would pass over in silence', () => {
    const refused = (id: string, parameters: Record<string, number>, message: RegExp) =>
      assert.throws(
        () => policyAdopted({ id, parameters }),
        (error: unknown) => error instanceof ServiceError && error.code === 'usage' && message.test(error.message),
      )
    refused('mine', { badd: 5 }, /no policy has the parameter badd with 5/)
    refused('mine', { bad: 1.5 }, /the parameter bad with 1\.5/)
    refused('mine', { windowPieces: 4097 }, /the parameter windowPieces with 4097/)
    refused('mine', { 'trust:me': 1 }, /the parameter trust:me with 1/)
    refused('Not a name', {}, /"policy" must be a name/)
    const many = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`trust:${node(`${index}`)}`, 1]))
    refused('mine', many, /up to 32 node ids/)
  })

  it('holds for what is seen from then on, and a ban that was made stays', async () => {
    await using own = await openSmallLog(1)
    const standing = () => own.states.state('reputation').subjects.get(peer)?.ban
    await own.log.append([{ event: judged(peer, 0, 3) }])
    const { id, parameters } = policyAdopted({ id: 'strict', parameters: { bad: 50 } })
    await own.log.append([{ event: { kind: 'policy.adopted', policy: id, parameters } }])
    assert.equal(standing(), undefined, 'nothing was seen since')
    await own.log.append([{ event: judged(peer, 0, 1) }])
    assert.deepEqual(standing(), { seq: 3, rule: 'sum' })
    await own.log.append([{ event: { kind: 'policy.adopted', policy: 'seed-v1', parameters: parametersOf(SEED_V1) } }])
    assert.deepEqual(
      [standing()?.seq, own.states.state('reputation').policy],
      [3, policyOf({ policy: 'seed-v1', parameters: {} })],
    )
  })
})
