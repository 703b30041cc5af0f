import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLevelLog } from '../../src/events/event-log.level.ts'
import { describeEventLog } from './event-log.contract.ts'
import { noUpcast, tickingClock } from './samples.ts'

describe('the log on LevelDB', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-log-'))
  let directories = 0
  const empty = (): string => join(root, String(directories++))
  after(() => rmSync(root, { recursive: true }))

  describeEventLog('the log on LevelDB', (signer) =>
    openLevelLog({ directory: empty(), signer, clock: tickingClock(), upcast: noUpcast, create: true }),
  )
})
