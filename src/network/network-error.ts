export type NetworkErrorCode = 'PORT_IN_USE' | 'BAD_ADDRESS' | 'CLOSED'

/** What an operator can mend about sockets and addresses, or a use after the end. Match on `code`. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError'
  readonly code: NetworkErrorCode
  constructor(code: NetworkErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
