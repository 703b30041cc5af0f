import { setTimeout as sleep } from 'node:timers/promises'
import { ControlError } from '../../control/index.ts'
import { type NodeService, ServiceError } from '../../roles/index.ts'

const INTERVAL_MS = 20

/**
 * Asks a node to stop and waits until its process has ended: then its ports and its data directory are free.
 * @throws ServiceError `failed` if it still runs after `waitMsMax`
 */
export async function stopNode(node: Pick<NodeService, 'stop' | 'status'>, pid: number, waitMsMax: number): Promise<void> {
  const deadline = performance.now() + waitMsMax
  await node.stop().catch((error: unknown) => {
    // It may be gone before its answer is out.
    if (!(error instanceof ControlError && error.code === 'GONE')) throw error
  })
  while (await runs(node, pid)) {
    if (performance.now() > deadline) throw new ServiceError('failed', `process ${pid} has not stopped within ${waitMsMax} ms`)
    await sleep(INTERVAL_MS)
  }
}

async function runs(node: Pick<NodeService, 'status'>, pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it is another user's, so ask its socket.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return node.status().then(
    () => true,
    () => false,
  )
}
