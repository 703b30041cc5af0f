// As a process: node create-network.ts DIRECTORY; makes the network of that folder, or takes the one there is, when it is told
// to on its standard input, and prints its id.
import { once } from 'node:events'
import type { Millis } from '../../../src/events/index.ts'
import { createOwnerFolder, openOwnerFolder } from '../../../src/roles/owner/owner-folder.fs.ts'

const [directory = ''] = process.argv.slice(2)
const now = () => 1_700_000_000_000 as Millis
process.stdout.write('ready\n')
await once(process.stdin, 'data')
const made = createOwnerFolder(directory, { name: 'herbs', open: false, bootstraps: [] }, now())
const folder = openOwnerFolder(directory, now)
folder.joining('member', 'one')
process.stdout.write(`${JSON.stringify({ made, id: folder.network })}\n`)
process.exit()
