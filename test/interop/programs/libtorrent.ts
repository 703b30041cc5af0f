import { join } from 'node:path'
import { pythonWithLibtorrent } from '../../torrent/python-libtorrent.ts'
import { type Program, ProgramProcess } from '../program.ts'

const SCRIPT = join(import.meta.dirname, 'libtorrent-program.py')

/** libtorrent 2.0 (Debian's python3-libtorrent), as it comes: over uTP first, then TCP. */
export const libtorrent: Program = {
  name: 'libtorrent',
  missing: () => (pythonWithLibtorrent() === undefined ? 'this machine has no python3-libtorrent' : undefined),
  cannot: () => undefined,
  async start({ prefix, home, ...job }) {
    const process = new ProgramProcess(prefix, [pythonWithLibtorrent() ?? '', SCRIPT, JSON.stringify(job)], home)
    return { process, ready: () => process.says(/^ready$/m) }
  },
}
