import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyLog } from '../../../src/events/damage/verify-log.fs.ts'
import { ALL_KINDS } from '../../../src/events/index.ts'
import { goldenEvents } from '../../fixtures/golden-log.ts'
import { TEST_NETWORK } from '../test-network.ts'

type Expected = { headDigest: string; events: { version: number; event: { kind: string; name?: string } }[] }

const logs = join(import.meta.dirname, '../../fixtures/logs')

describe('the golden logs', () => {
  it('are there, from the first schema on', () => {
    assert.deepEqual(readdirSync(logs), ['v1'])
  })

  for (const name of readdirSync(logs)) {
    const directory = join(logs, name)
    const expected = JSON.parse(readFileSync(join(directory, 'expected.json'), 'utf8')) as Expected

    it(`replay: ${name}`, async () => {
      const kinds = new Set(expected.events.map(({ event }) => event.kind))
      if (name === 'v1') assert.deepEqual(kinds, new Set([...ALL_KINDS, 'unknown']))
      assert.deepEqual(await goldenEvents(directory), expected.events)
    })

    it(`are intact, with every signature good: ${name}`, async () => {
      const copy = mkdtempSync(join(tmpdir(), 'p2pt-golden-'))
      cpSync(directory, copy, { recursive: true })
      const { problems, ranges, headDigest, signaturesChecked } = await verifyLog(copy, { signaturesOf: TEST_NETWORK })
      rmSync(copy, { recursive: true })
      assert.deepEqual([problems, ranges, headDigest], [[], [], expected.headDigest])
      assert.equal(signaturesChecked, expected.events.length)
    })
  }
})
