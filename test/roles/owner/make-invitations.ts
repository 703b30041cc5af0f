// As a process: node make-invitations.ts DIRECTORY NAME COUNT; makes invitations of these names with the key in that folder.
import type { Millis } from '../../../src/events/index.ts'
import { openOwnerFolder } from '../../../src/roles/owner/owner-folder.fs.ts'

const [directory = '', name = '', count = ''] = process.argv.slice(2)
const folder = openOwnerFolder(directory, () => 1_700_000_000_000 as Millis)
for (let index = 0; index < Number(count); index += 1)
  folder.invite({ role: 'client', name: `${name}-${index}`, expiresAt: 0 as Millis })
