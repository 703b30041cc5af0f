import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type ClientService, type IndexService, type NodeService, ServiceError } from '../roles/index.ts'
import { ControlError, type ControlErrorCode } from './control-error.ts'
import { dial } from './dial.ts'
import { errorOf } from './failure.ts'
import { type Answer, encodeCall, parseAnswer } from './json-rpc.ts'
import { LineSplitter } from './line-splitter.ts'
import { METHODS, type MethodTable } from './methods.ts'
import { CONTROL_SOCKET, socketPath } from './socket-path.ts'

/** Longest answer taken, in bytes: an explanation or a listing may be long, a line without end may not. */
const ANSWER_BYTES_MAX = 256 * 1024 * 1024

/** Times a call is made while the node is busy, and how much longer it waits before each further one, ms: a second in all. */
const TRIES_MAX = 5
const RETRY_MS = 100

/** Time in which a node that is not stuck answers anything at all, ms. */
const ANSWERS_MS_MAX = 10_000

/** A running node as seen through its socket: the same calls, each over a connection of its own, so that none waits for another. */
export type RemoteNode = {
  readonly dataDirectory: string
  readonly node: NodeService
  readonly index: IndexService
  readonly client: ClientService
}

/**
 * The node that runs in `dataDirectory` (absolute) and answers: the system connects to a process that is stuck as well.
 * @param options.answerMsMax longest silence in a call, ms; without it a call waits for as long as the node works
 * @throws ControlError `NOT_RUNNING`, `TOO_SLOW`, `PATH_TOO_LONG`, `UNAVAILABLE`
 */
export async function connectNode(dataDirectory: string, options: { answerMsMax?: number } = {}): Promise<RemoteNode> {
  const line: Line = {
    dataDirectory,
    path: socketPath(dataDirectory, CONTROL_SOCKET, process.cwd()),
    answerMsMax: options.answerMsMax ?? 0,
  }
  await requireAnswer({ ...line, answerMsMax: options.answerMsMax ?? ANSWERS_MS_MAX })
  return {
    dataDirectory,
    node: remote<NodeService>('node', METHODS.node, line),
    index: remote<IndexService>('index', METHODS.index, line),
    client: remote<ClientService>('client', METHODS.client, line),
  }
}

const NO_ANSWER: readonly ControlErrorCode[] = ['NOT_RUNNING', 'TOO_SLOW', 'UNAVAILABLE']

/** Whatever comes back is an answer, that it is starting or busy as well: the call after this one says so itself. */
async function requireAnswer(line: Line): Promise<void> {
  try {
    await streamOnce(line, 'node.status', []).next()
  } catch (error) {
    if (error instanceof ControlError && NO_ANSWER.includes(error.code)) throw error
  }
}

type Line = { dataDirectory: string; path: string; answerMsMax: number }

/** A service whose methods are calls over the line; the table says which of them stream. */
function remote<S>(service: string, table: MethodTable<S>, line: Line): S {
  const methods: Record<string, unknown> = {}
  for (const [name, { shape }] of Object.entries<{ shape: string }>(table)) {
    const method = `${service}.${name}`
    methods[name] =
      shape === 'answer'
        ? (...parameters: unknown[]) => ask(line, method, parameters)
        : (...parameters: unknown[]) => stream(line, method, parameters)
  }
  return methods as S
}

async function ask(line: Line, method: string, parameters: readonly unknown[]): Promise<unknown> {
  const answers = stream(line, method, parameters)
  for (;;) {
    const step = await answers.next()
    if (step.done === true) return step.value
  }
}

/**
 * Values as they come, then the result. Reading slowly slows the node down; closing early ends the work there. A node that
 * is busy has not begun, and is asked again.
 */
async function* stream(line: Line, method: string, parameters: readonly unknown[]): AsyncGenerator<unknown, unknown, void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return yield* streamOnce(line, method, parameters)
    } catch (error) {
      if (!(error instanceof ControlError && error.code === 'BUSY') || tries === TRIES_MAX) throw error
    }
    await delay(tries * RETRY_MS)
  }
}

async function* streamOnce(line: Line, method: string, parameters: readonly unknown[]): AsyncGenerator<unknown, unknown, void> {
  const socket = await open(line)
  const lines = new LineSplitter(ANSWER_BYTES_MAX)
  let late = false
  if (line.answerMsMax > 0) {
    socket.setTimeout(line.answerMsMax, () => {
      late = true
      socket.destroy()
    })
  }
  try {
    socket.write(`${encodeCall(1, method, parameters)}\n`)
    for await (const chunk of socket as AsyncIterable<Uint8Array>) {
      for (const text of lines.push(chunk)) {
        const answer = expect(text, line)
        if (answer.is === 'failure') throw errorOf(answer.failure)
        if (answer.is === 'result') return answer.value
        yield answer.value
      }
    }
  } catch (cause) {
    // What is left is the socket's own: reset, or closed in the middle.
    if (cause instanceof ControlError || cause instanceof ServiceError) throw cause
  } finally {
    socket.destroy()
  }
  throw late
    ? new ControlError('TOO_SLOW', `the node in ${line.dataDirectory} did not answer within ${line.answerMsMax} ms`)
    : new ControlError('GONE', `the node in ${line.dataDirectory} stopped before it had answered`)
}

function expect(text: ReturnType<LineSplitter['push']>[number], line: Line): Answer {
  const answer = typeof text === 'string' ? parseAnswer(text) : undefined
  if (answer !== undefined) return answer
  throw new ControlError('BAD_ANSWER', `what answers in ${line.dataDirectory} is no p2pt node, or of another version`)
}

async function open(line: Line): Promise<Socket> {
  try {
    return await dial(line.path)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR')
      throw new ControlError('NOT_RUNNING', `no node is running in ${line.dataDirectory}`, { cause })
    // The system holds no more callers that wait to be taken in (listen(2)).
    if (code === 'EAGAIN')
      throw new ControlError('BUSY', `the node in ${line.dataDirectory} is busy: too many callers wait for it; try again`, {
        cause,
      })
    throw new ControlError('UNAVAILABLE', `cannot reach the node in ${line.dataDirectory}: ${message}`, { cause })
  }
}
