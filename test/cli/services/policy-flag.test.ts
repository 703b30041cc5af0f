import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { policyAsked } from '../../../src/cli/services/policy-flag.ts'
import { POLICY_FILE_LENGTH_MAX, parametersOf, policyFileText, SEED_V1 } from '../../../src/projections/reputation/index.ts'
import { ServiceError } from '../../../src/roles/services.ts'

describe('a policy that a command is given', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'p2pt-policy-'))
  })
  after(() => rm(folder, { recursive: true }))
  const refused = (given: string, settings: readonly string[], message: RegExp) =>
    assert.throws(
      () => policyAsked(given, settings),
      (error: unknown) => error instanceof ServiceError && error.code === 'usage' && message.test(error.message),
      `${message}`,
    )

  it('is one that comes with p2pt, or in a file, with other values for some parameters', async () => {
    const file = join(folder, 'mine.json')
    await writeFile(file, policyFileText({ ...SEED_V1, id: 'mine', bad: 50 }))
    assert.deepEqual(policyAsked(file, []).asked, { id: 'mine', parameters: parametersOf({ ...SEED_V1, bad: 50 }) })
    const changed = policyAsked('seed-v1', ['bad=50', 'quorum=3'])
    assert.deepEqual(changed.asked.parameters, parametersOf({ ...SEED_V1, bad: 50, quorum: 3 }))
    assert.match(changed.consequences[0] ?? '', /banned after about 3\.$/)
  })

  it('is refused with what to mend', async () => {
    refused('no-such', [], /neither a policy that p2pt has \(ancestor, seed-v1, local-only\) nor a file/)
    refused(folder, [], /it is no file/)
    const file = join(folder, 'wrong.json')
    await writeFile(file, 'nonsense')
    refused(file, [], /wrong\.json is no policy: it is not JSON/)
    await writeFile(file, ' '.repeat(POLICY_FILE_LENGTH_MAX + 1))
    refused(file, [], /more than 65536 bytes/)
    refused('seed-v1', ['y'], /NAME=VALUE/)
    refused('seed-v1', ['badd=1'], /no parameter badd; known are start/)
    refused('seed-v1', ['quorum=0'], /--set is no policy: the parameter "quorum" must be a whole number from 1/)
    refused('seed-v1', ['bad=1.5'], /"bad" must be a whole number/)
  })
})
