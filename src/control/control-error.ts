export type ControlErrorCode =
  /** Nobody answers in that data directory. */
  | 'NOT_RUNNING'
  /** A node answers there already. */
  | 'IN_USE'
  /** The node went away before the answer was complete. */
  | 'GONE'
  /** The node did not answer in time. */
  | 'TOO_SLOW'
  /** The node has as many callers as it takes. */
  | 'BUSY'
  /** The caller, or all callers, leave too much unread. */
  | 'UNREAD'
  /** The socket's path is longer than the system allows. */
  | 'PATH_TOO_LONG'
  /** The socket could not be made or opened. */
  | 'UNAVAILABLE'
  /** What came back is not what a node says: another program, or another version. */
  | 'BAD_ANSWER'
  /** The node runs and has not opened its services yet. */
  | 'STARTING'

/** A failure of the line between an operator's command and the node. */
export class ControlError extends Error {
  override readonly name = 'ControlError'
  readonly code: ControlErrorCode
  constructor(code: ControlErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
