import type { NodeRole } from '../../events/index.ts'
import { dataDirectory } from './data-directory.ts'
import { type NodeScreen, runNode } from './run-node.ts'
import { type StartFlags, startOptions } from './start-flags.ts'

/** Runs a node of this role with these flags until it is stopped. */
export async function start(role: NodeRole, flags: StartFlags, screen: NodeScreen): Promise<void> {
  const tell = (text: string) => screen.notice({ at: Date.now(), level: 'warning', code: 'bootstrap.unresolved', text })
  await runNode(dataDirectory(flags.data, role), (signal) => startOptions(role, flags, tell, signal), screen)
}
