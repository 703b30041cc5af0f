// Messages of JSON-RPC 2.0 (https://www.jsonrpc.org/specification), parameters by position, no batches. Two
// notifications are ours: `progress` (node to caller: a value of a long call) and `cancel` (caller to node).

export type RequestId = number | string

export type Failure = { code: number; message: string; data?: { code: string } }

/** JSON-RPC's own codes, and three of the range it leaves to servers. */
export const RPC = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  /** The service said no: `data.code` is a ServiceErrorCode. */
  serviceError: -32000,
  /** The node runs and has not opened its services yet. */
  starting: -32001,
  /** All places for callers are taken. Nothing was carried out, and the connection ends. */
  busy: -32002,
} as const

export type Incoming =
  | { is: 'call'; id: RequestId; method: string; parameters: readonly unknown[] }
  | { is: 'cancel'; id: RequestId }
  | { is: 'bad'; id: RequestId | null; failure: Failure }
  /** A notification that is none of ours: the specification wants no answer. */
  | { is: 'ignored' }

/** Methods have short names; a longer one is not echoed back into an error. */
const METHOD_LENGTH_MAX = 100

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isId = (value: unknown): value is RequestId =>
  (typeof value === 'number' && Number.isFinite(value)) || (typeof value === 'string' && value.length <= 100)

/** What a line from a caller asks; never throws. */
export function parseIncoming(line: string): Incoming {
  let message: unknown
  try {
    message = JSON.parse(line)
  } catch {
    return bad(null, RPC.parseError, 'the line is not JSON')
  }
  if (!isRecord(message)) return bad(null, RPC.invalidRequest, 'a message is one JSON object a line; there are no batches')
  const id = message.id === undefined ? undefined : isId(message.id) ? message.id : null
  if (id === null) return bad(null, RPC.invalidRequest, '"id" must be a number or a text of at most 100 characters')
  const { method, params } = message
  if (message.jsonrpc !== '2.0') return bad(id ?? null, RPC.invalidRequest, '"jsonrpc" must be "2.0"')
  if (typeof method !== 'string' || method.length > METHOD_LENGTH_MAX)
    return bad(id ?? null, RPC.invalidRequest, '"method" must be the name of a method')
  if (id === undefined) {
    if (method === 'cancel' && isRecord(params) && isId(params.id)) return { is: 'cancel', id: params.id }
    return { is: 'ignored' }
  }
  if (params !== undefined && !Array.isArray(params))
    return bad(id, RPC.invalidParams, '"params" must be an array: parameters go by position')
  return { is: 'call', id, method, parameters: params ?? [] }
}

const bad = (id: RequestId | null, code: number, message: string): Incoming => ({ is: 'bad', id, failure: { code, message } })

export const encodeCall = (id: RequestId, method: string, parameters: readonly unknown[]): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params: parameters })

/** @throws TypeError if `result` has no JSON form (a cycle, a bigint) */
export const encodeResult = (id: RequestId, result: unknown): string =>
  JSON.stringify({ jsonrpc: '2.0', id, result: result ?? null })

export const encodeProgress = (id: RequestId, value: unknown): string =>
  JSON.stringify({ jsonrpc: '2.0', method: 'progress', params: { id, value } })

export const encodeFailure = (id: RequestId | null, failure: Failure): string =>
  JSON.stringify({ jsonrpc: '2.0', id, error: failure })

export type Answer =
  | { is: 'progress'; id: RequestId; value: unknown }
  | { is: 'result'; id: RequestId; value: unknown }
  | { is: 'failure'; id: RequestId | null; failure: Failure }

/** What a line from a node says; undefined for anything else. */
export function parseAnswer(line: string): Answer | undefined {
  let message: unknown
  try {
    message = JSON.parse(line)
  } catch {
    return undefined
  }
  if (!isRecord(message)) return undefined
  const { id, params, error } = message
  if (message.method === 'progress' && isRecord(params) && isId(params.id))
    return { is: 'progress', id: params.id, value: params.value }
  if (isRecord(error) && typeof error.code === 'number' && typeof error.message === 'string') {
    const code = isRecord(error.data) && typeof error.data.code === 'string' ? error.data.code : undefined
    const failure = { code: error.code, message: error.message, ...(code === undefined ? {} : { data: { code } }) }
    return { is: 'failure', id: isId(id) ? id : null, failure }
  }
  if (isId(id) && 'result' in message) return { is: 'result', id, value: message.result }
  return undefined
}
