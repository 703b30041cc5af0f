import { spawnSync } from 'node:child_process'

/** A Python that has libtorrent (Debian's python3-libtorrent is for Debian's own Python); undefined where there is none. */
export const pythonWithLibtorrent = (): string | undefined =>
  ['python3', '/usr/bin/python3'].find((python) => spawnSync(python, ['-c', 'import libtorrent']).status === 0)
