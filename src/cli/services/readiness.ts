import { setTimeout as sleep } from 'node:timers/promises'
import { type NodeService, type NodeStatus, ServiceError } from '../../roles/index.ts'

/** Time a healthy node has to answer, ms; a container's health check commonly allows 5 s or more in all. */
const ANSWER_MS_MAX = 3000

/**
 * The status of a node that is ready.
 * @throws ServiceError `failed` if it is not, or does not answer in time; ControlError `STARTING`
 */
export async function requireReady(node: Pick<NodeService, 'status'>): Promise<NodeStatus> {
  const status = await Promise.race([node.status(), sleep(ANSWER_MS_MAX, undefined, { ref: false })])
  if (status === undefined) throw new ServiceError('failed', `not ready: no answer within ${ANSWER_MS_MAX} ms`)
  if (!status.ready) throw new ServiceError('failed', `not ready: ${status.waitingFor ?? 'starting'}`)
  return status
}
