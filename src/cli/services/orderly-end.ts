import { constants } from 'node:os'
import { onOutputLost } from './lost-output.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

let ending = false

/** True once the process is on its way out: what fails from then on, as its files are closed, is nobody's business. */
export const isEnding = (): boolean => ending

/**
 * Has `dispose` done before the process ends by a signal, or because nobody reads its output any more: both would end it at
 * once, and leave its files behind.
 */
export function disposeBeforeEnd(dispose: () => Promise<void>): void {
  const end = (exit: number) => {
    if (ending) return
    ending = true
    process.exitCode = exit
    void dispose()
      .catch(() => {})
      .finally(() => process.exit(exit))
  }
  onOutputLost((error) => {
    // As bin/execute.js has it.
    if (error.code === 'EPIPE') return end(0)
    if (!ending) process.stderr.write(`p2pt: the output cannot be written: ${error.message}\n`)
    end(1)
  })
  // A second one ends it at once.
  for (const name of SIGNALS) process.once(name, () => end(128 + constants.signals[name]))
}
