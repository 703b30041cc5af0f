import { setImmediate } from 'node:timers/promises'
import { logPaths } from '../../src/events/leveldb/log-database.level.ts'
import { readHeadFile } from '../../src/events/log/head-file.fs.ts'
import { importLog } from '../../src/roles/compose-import.ts'

// A process that imports an export into a new client with a key, and is killed when the first events are in its log.

const [, , dataDirectory = '', file = '', keyFile = ''] = process.argv

async function killOnceSomeAreStored(): Promise<never> {
  for (;;) {
    if ((readHeadFile(logPaths(dataDirectory).head)?.latest.seq ?? 0) > 0) process.kill(process.pid, 'SIGKILL')
    await setImmediate()
  }
}

void killOnceSomeAreStored()
for await (const _ of importLog(dataDirectory, { file, role: 'client', keyFile })) {
  // Its progress is of no use here: it comes five times a second.
}
