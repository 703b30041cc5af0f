import { LogError } from '../events/log/event-log.ts'
import { ServiceError, type ServiceErrorCode } from '../roles/index.ts'
import { ControlError } from './control-error.ts'
import { type Failure, RPC } from './json-rpc.ts'

const SERVICE_CODES: readonly string[] = ['usage', 'failed', 'damaged'] satisfies ServiceErrorCode[]

/** How an error of a service goes over the line: its sentence, and the code an operator's command exits by. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ServiceError) return { code: RPC.serviceError, message: error.message, data: { code: error.code } }
  if (error instanceof LogError) {
    const unusable = error.code === 'LOG_DAMAGED' || error.code === 'LOG_FOREIGN' || error.code === 'LOG_NEWER'
    const code: ServiceErrorCode = unusable ? 'damaged' : 'failed'
    return { code: RPC.serviceError, message: error.message, data: { code } }
  }
  if (error instanceof ControlError && error.code === 'UNREAD')
    return { code: RPC.serviceError, message: error.message, data: { code: 'failed' } }
  const message = error instanceof Error ? error.message : String(error)
  return { code: RPC.internalError, message, data: { code: 'failed' } }
}

/** The error a caller throws for a failure that came over the line. */
export function errorOf(failure: Failure): Error {
  const code = failure.data?.code
  if (failure.code === RPC.starting) return new ControlError('STARTING', failure.message)
  if (failure.code === RPC.busy) return new ControlError('BUSY', failure.message)
  if (code !== undefined && SERVICE_CODES.includes(code)) return new ServiceError(code as ServiceErrorCode, failure.message)
  if (failure.code === RPC.invalidParams) return new ServiceError('usage', failure.message)
  return new ControlError('BAD_ANSWER', `the node did not understand: ${failure.message}`)
}
