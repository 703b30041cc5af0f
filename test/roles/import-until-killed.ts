import { importLog } from '../../src/roles/compose-import.ts'

// A process that imports an export into a new client with a key, and is killed when the first events are in its log.

const [, , dataDirectory = '', file = '', keyFile = ''] = process.argv
for await (const { phase } of importLog(dataDirectory, { file, role: 'client', keyFile })) {
  if (phase === 'writing') process.kill(process.pid, 'SIGKILL')
}
