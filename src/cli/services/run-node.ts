import { ControlError, ControlServer, connectNode } from '../../control/index.ts'
import type { NodeStatus, Notice } from '../../roles/index.ts'
import type { RunningNode, StartOptions } from '../../roles/start.ts'
import { onOutputLost } from './lost-output.ts'
import { stopSignals } from './stop-signals.ts'

/** A node that has been asked to stop is left behind after this, ms: its log is written, its lock goes with the process. */
const STOP_MS_MAX = 3000

/** How often a starting node is asked whether it is ready, ms. */
const READY_INTERVAL_MS = 100

/** Where a running node's words go: lines, JSON lines, or the prompt. */
export type NodeScreen = {
  ready(status: NodeStatus, socket: string): void
  notice(notice: Notice): void
  /** Takes over until the operator quits; a screen without a prompt has none. */
  prompt?(running: RunningNode, signal: AbortSignal): Promise<void>
}

/**
 * Runs a node in the foreground until a signal, a `stop` through its socket, or the operator ends it. A reader or a
 * terminal that goes ends it too, and as cleanly.
 * @param prepare makes the options; it may wait for names to resolve, and can be interrupted
 * @param started called when the node runs
 */
export async function runNode(
  directory: string,
  prepare: (signal: AbortSignal) => Promise<StartOptions>,
  screen: NodeScreen,
  started: () => void,
): Promise<void> {
  const stop = stopSignals()
  using _output = onOutputLost(stop.ask)
  try {
    await using server = await listen(directory)
    const options = await prepare(stop.signal)
    const { startNode } = await import('../../roles/compose.ts')
    if (stop.signal.aborted) return
    const running = await startNode(options, stop.signal).catch((error: unknown) => {
      // Stopped while it was starting: what it was asked to do.
      if (stop.signal.aborted) return undefined
      throw error
    })
    if (running === undefined) return
    started()
    await server.open({ node: running.node, index: running.index, client: running.client })
    const over = Promise.race([running.stopped, stop.asked])
    try {
      const watching = watch(running, server.path, screen, over)
      const prompting = screen.prompt?.(running, stop.signal)
      await (prompting === undefined ? over : Promise.race([over, prompting]))
      stop.ask()
      await watching
    } finally {
      await within(STOP_MS_MAX, running[Symbol.asyncDispose]())
    }
  } finally {
    stop.dispose()
  }
}

async function listen(directory: string): Promise<ControlServer> {
  try {
    return await ControlServer.listen(directory)
  } catch (error) {
    if (!(error instanceof ControlError && error.code === 'IN_USE')) throw error
    const whose = await connectNode(directory, { answerMsMax: 1000 })
      .then(({ node }) => node.status())
      .then(
        ({ pid, role }) => `process ${pid} (a node of role ${role})`,
        (problem: unknown) =>
          problem instanceof ControlError && problem.code === 'TOO_SLOW'
            ? 'a node that does not answer'
            : 'a node that is starting',
      )
    throw new ControlError(
      'IN_USE',
      `the data directory ${directory} is in use by ${whose}: stop it with \`p2pt node stop --data ${directory}\``,
    )
  }
}

/** Tells when the node is ready, and every notice, until it is over. */
async function watch(running: RunningNode, socket: string, screen: NodeScreen, over: Promise<unknown>): Promise<void> {
  const notices = running.node.notices({ last: 100 })[Symbol.asyncIterator]()
  const ended = over.then(
    () => true,
    () => true,
  )
  const tellNotices = async () => {
    for (;;) {
      const step = await notices.next()
      if (step.done === true) return
      screen.notice(step.value)
    }
  }
  const telling = tellNotices().catch(() => {})
  let done = false
  void ended.then(() => {
    done = true
  })
  for (;;) {
    const status = await running.node.status()
    if (status.ready) screen.ready(status, socket)
    if (status.ready || done) break
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, READY_INTERVAL_MS).unref())])
  }
  await ended
  await notices.return?.()
  await telling
}

async function within(ms: number, work: PromiseLike<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  try {
    await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
