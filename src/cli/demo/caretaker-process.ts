import { rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

// The process behind caretaker.ts. Its argument is the folder of the demo; on stdin it is told of each node that runs.

/** A node that was asked to stop ends within 5 s by itself (stop-signals.ts), ms. */
const STOP_MS_MAX = 6000
const POLL_MS = 50

const [, , directory = ''] = process.argv
const pids = new Set<number>()
let isReleased = false
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'release') isReleased = true
  else if (line.startsWith('+')) pids.add(Number(line.slice(1)))
  else pids.delete(Number(line.slice(1)))
}
if (!isReleased) {
  signalAll('SIGTERM')
  const deadline = performance.now() + STOP_MS_MAX
  while (pids.size > 0 && performance.now() < deadline) {
    await delay(POLL_MS)
    signalAll(0)
  }
  signalAll('SIGKILL')
  await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
}

/** Sends it to all that still run, and forgets the others. */
function signalAll(signal: NodeJS.Signals | 0): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      pids.delete(pid)
    }
  }
}
