import { openLevelLog } from '../../../src/events/log/event-log.level.ts'
import { openDataDirectory } from '../../../src/roles/directory/data-directory.fs.ts'
import { noUpcast, numbered, tickingClock } from '../../events/samples.ts'
import { joiningAs } from '../../events/test-network.ts'

// A process that opens the data directory given, appends one event, says so, and holds it until it is killed.

const directory = process.argv[2] ?? ''
try {
  const data = await openDataDirectory(directory, { role: 'index', joining: joiningAs('index') })
  const log = await openLevelLog({ directory, signer: data.signer, clock: tickingClock(), upcast: noUpcast })
  await log.append([numbered(1)])
  console.log(log.head)
  setInterval(() => {}, 60_000)
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
