import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'

const run = promisify(execFile)

const SPIN_MS = 400
const SPIN = `
const until = performance.now() + ${SPIN_MS}
const before = process.cpuUsage()
while (performance.now() < until);
const { user, system } = process.cpuUsage(before)
console.log((user + system) / 1000 / ${SPIN_MS})`

/** The share of this machine's processors that is ours for the asking, 0 to 1: the rest is taken by others. */
async function processorShare(): Promise<number> {
  const spins = Array.from({ length: availableParallelism() }, () => run(process.execPath, ['-e', SPIN]))
  const shares = (await Promise.all(spins)).map(({ stdout }) => Number(stdout))
  return shares.reduce((sum, share) => sum + share, 0) / shares.length
}

/**
 * Waits until others leave us the processors. A time that a start may take says nothing where they do not: 15 processes
 * that start are 8 s of processor time.
 * @returns false if they do not within `ms`
 */
export async function processorsAreOurs(ms: number): Promise<boolean> {
  const until = performance.now() + ms
  for (;;) {
    if ((await processorShare()) > 0.85) return true
    if (performance.now() > until) return false
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
}
