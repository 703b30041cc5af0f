import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyOfSeed, signerFromSeed } from '../../../src/events/keys/signer.sodium.ts'
import { openLevelLog } from '../../../src/events/log/event-log.level.ts'
import { verifyRunning, verifyStopped } from '../../../src/roles/node/verification.ts'
import type { VerifyProgress } from '../../../src/roles/services.ts'
import { noUpcast, numbered, tickingClock } from '../../events/samples.ts'
import { TEST_NETWORK } from '../../events/test-network.ts'
import { resultOf } from '../result-of.ts'

const EVENTS = 50
const seed = new Uint8Array(32).fill(5)
const signer = signerFromSeed(seed, TEST_NETWORK)

describe('the verification of a log', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'p2pt-verify-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))
  const open = () => openLevelLog({ directory, signer, clock: tickingClock(), upcast: noUpcast, create: true })
  const written = async () => {
    await using log = await open()
    await log.append(Array.from({ length: EVENTS }, (_, at) => numbered(at)))
  }
  const stopped = (signatures = false) =>
    resultOf(verifyStopped(directory, { id: signer.id, network: TEST_NETWORK }, { signatures }))

  describe('of a node that does not run', () => {
    beforeEach(written)

    it('finds it intact, with the key of its node beside it, or with none', async () => {
      const { intact, events, problems, signaturesChecked } = await stopped()
      deepEqual([intact, events, problems, signaturesChecked], [true, EVENTS, [], 0])
      writeFileSync(join(directory, 'key.seed'), seed)
      deepEqual([(await stopped()).intact, (await stopped()).problems], [true, []])
    })

    it('checks signatures where it is asked to, by the name of the network', async () => {
      equal((await stopped(true)).signaturesChecked, EVENTS)
      const elsewhere = verifyStopped(directory, { id: signer.id, network: '0'.repeat(64) as never }, { signatures: true })
      equal((await resultOf(elsewhere)).intact, false)
    })

    it('says whose key stands beside it where that is another node’s', async () => {
      const other = new Uint8Array(32).fill(6)
      writeFileSync(join(directory, 'key.seed'), other)
      const { intact, ranges, problems } = await stopped()
      deepEqual([intact, ranges], [false, []])
      equal(
        problems.join(),
        `the log is of node ${signer.id}, and key.seed beside it is the key of node ${keyOfSeed(other)}: put back the key of the log's own node, as from a backup`,
      )
    })

    it('says that what stands in the place of the key is none', async () => {
      writeFileSync(join(directory, 'key.seed'), 'short')
      const { intact, problems } = await stopped()
      equal(intact, false)
      match(problems.join(), /key\.seed has 5 bytes, not 32/)
    })

    it('holds it against nobody that the key cannot be read', async () => {
      mkdirSync(join(directory, 'key.seed'))
      const { intact, problems } = await stopped()
      deepEqual([intact, problems], [true, []])
    })

    it('says what is damaged', async () => {
      writeFileSync(join(directory, 'head'), 'noise')
      const { intact, problems } = await stopped()
      equal(intact, false)
      ok(problems.length > 0)
    })
  })

  it('of one that runs looks through the handle that is open, and says how far it is', async () => {
    await using log = await open()
    await log.append(Array.from({ length: EVENTS }, (_, at) => numbered(at)))
    const told: VerifyProgress[] = []
    const call = verifyRunning(log, TEST_NETWORK, { signatures: true })
    for (;;) {
      const step = await call.next()
      if (step.done !== true) {
        told.push(step.value)
        continue
      }
      deepEqual([step.value.intact, step.value.signaturesChecked, step.value.events], [true, EVENTS, EVENTS])
      break
    }
    deepEqual(told.at(-1), { done: EVENTS, total: EVENTS })
  })
})
