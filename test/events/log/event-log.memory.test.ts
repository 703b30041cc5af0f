import { upcastSteps } from '../../../migrations/index.ts'
import { upcaster } from '../../../src/events/index.ts'
import { openMemoryLog } from '../../../src/events/log/event-log.memory.ts'
import { tickingClock } from '../samples.ts'
import { describeEventLog } from './event-log.contract.ts'

describeEventLog('the log in memory', async (signer, rules) =>
  openMemoryLog({ signer, clock: tickingClock(), upcast: upcaster(upcastSteps), ...(rules && { rules }) }),
)
