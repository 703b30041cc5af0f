import { connectNode } from '../src/control/index.ts'
import { type Ended, type NodeProcess, p2pt, startNode } from '../test/cli/program.ts'
import { UNKILLED_MS_MAX } from './crash-moment.ts'

// The commands of the built program, run as a user does, and killed as nobody should be.

/** The nodes here are of a network that was made before they are started, so that none is made for them. */
const ENVIRONMENT = { P2PT_NETWORK: undefined }

/** Runs a command; one that is killed after so many ms has no exit code. */
export const command = (words: readonly string[], killAfterMs = UNKILLED_MS_MAX): Promise<Ended> =>
  p2pt(words, { environment: ENVIRONMENT, timeoutMs: Math.max(1, killAfterMs) })

/** Runs a command to its end. @throws what it says if it fails */
export async function finished(words: readonly string[], exits: readonly number[] = [0]): Promise<Ended> {
  const ended = await command(words)
  const isWell = exits.includes(ended.exit ?? -1)
  if (!isWell) throw new Error(`${words.join(' ')} ended with ${ended.exit}: ${ended.stderr}${ended.stdout}`)
  return ended
}

/** A start on loopback. What a node said before a copy of it was made is asked of nobody: nobody else is there. */
export const startWords = (role: 'bootstrap' | 'client', directory: string, more: readonly string[] = []): string[] => [
  ...[role, 'start', '--json', '--data', directory, '--host', '127.0.0.1', '--port', '0', '--accept-fork-risk'],
  ...more,
]

export const started = (words: readonly string[]): Promise<NodeProcess> => startNode(words, ENVIRONMENT)

export async function stopped({ child, ended }: NodeProcess): Promise<void> {
  child.kill('SIGTERM')
  await ended
}

/** Starts a bootstrap node, and kills it. @returns true if the node was ready before it was killed */
export async function startedAndKilled(directory: string, killAfterMs: number | undefined): Promise<boolean> {
  if (killAfterMs === undefined) {
    await stopped(await started(startWords('bootstrap', directory)))
    return true
  }
  const { stdout } = await command(startWords('bootstrap', directory), killAfterMs)
  return stdout.includes('"event":"ready"')
}

/** Kills a node or a command after so many ms, unless `work` is over before. @returns true if it was not */
export async function killedDuring(
  { child, ended }: Pick<NodeProcess, 'child' | 'ended'>,
  work: Promise<unknown>,
  killAfterMs: number | undefined,
): Promise<boolean> {
  const over = work.then(
    () => true,
    () => true,
  )
  if (killAfterMs === undefined) {
    await over
    return false
  }
  let cancel = () => {}
  const late = new Promise<false>((resolve) => {
    const timer = setTimeout(resolve, killAfterMs, false)
    cancel = () => clearTimeout(timer)
  })
  const isOver = await Promise.race([over, late])
  cancel()
  child.kill('SIGKILL')
  await ended
  await over
  return !isOver
}

/**
 * Bans the peers of a log by the word of the operator, one after the other, each when the one before was acknowledged,
 * until the node is gone or `signal` says so.
 * @returns the reasons of those that were acknowledged
 */
export async function bansUntil(directory: string, signal: AbortSignal): Promise<string[]> {
  const acknowledged: string[] = []
  try {
    const { node } = await connectNode(directory)
    const peers = await node.scores()
    while (!signal.aborted) {
      const number = acknowledged.length
      const reason = `ban ${number} of this round`
      await node.ban(peers[number % peers.length]?.peer ?? '', reason)
      acknowledged.push(reason)
    }
  } catch {
    // The node was killed.
  }
  return acknowledged
}
