import { ControlError } from '../../control/index.ts'
import { LogError } from '../../events/log/event-log.ts'
import { ServiceError } from '../../roles/index.ts'

/** What a command ends with; scripts rely on these. */
export const EXIT = { ok: 0, failed: 1, usage: 2, notRunning: 3, damaged: 4 } as const

export type Reported = { exit: number; code: string; message: string }

const SERVICE_EXITS = { usage: EXIT.usage, failed: EXIT.failed, damaged: EXIT.damaged } as const

/** The exit code and the words for an error that ended a command. Whoever reads a join string can join: none is repeated. */
export function report(error: unknown): Reported {
  const reported = reportedOf(error)
  return { ...reported, message: reported.message.replace(/p2pt:[\w-]{16,}/gi, 'p2pt:...') }
}

function reportedOf(error: unknown): Reported {
  if (error instanceof ServiceError) return { exit: SERVICE_EXITS[error.code], code: error.code, message: error.message }
  if (error instanceof ControlError) {
    const exit = error.code === 'NOT_RUNNING' ? EXIT.notRunning : error.code === 'PATH_TOO_LONG' ? EXIT.usage : EXIT.failed
    return { exit, code: error.code, message: error.message }
  }
  if (error instanceof LogError) return { exit: logExit(error.code), code: error.code, message: error.message }
  if (!(error instanceof Error)) return { exit: EXIT.failed, code: 'failed', message: String(error) }
  // oclif's own errors: flags that do not exist, arguments that are missing, words that are no command.
  const oclif = 'oclif' in error ? (error.oclif as { exit?: number } | undefined) : undefined
  if (oclif !== undefined) return { exit: oclif.exit ?? EXIT.usage, code: 'usage', message: error.message }
  return { exit: EXIT.failed, code: 'failed', message: error.message }
}

function logExit(code: LogError['code']): number {
  if (code === 'LOG_DAMAGED' || code === 'LOG_FOREIGN' || code === 'LOG_NEWER') return EXIT.damaged
  return code === 'LOG_MISSING' ? EXIT.usage : EXIT.failed
}
