import type { RunnerNotice } from '../../projections/index.ts'
import type { Notice } from '../services.ts'

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const REBUILDING: Record<Extract<RunnerNotice, { what: 'rebuilding' }>['reason'], string> = {
  missing: 'nothing of it was stored',
  version: 'it was stored by another version',
  'beyond-log': 'it had seen events that the log has lost',
  damaged: 'its stored rows are damaged',
}

/** What the projections' runner tells, for the operator. */
export function runnerNotice(notice: RunnerNotice): Omit<Notice, 'at'> {
  switch (notice.what) {
    case 'rebuilding':
      return {
        level: notice.reason === 'damaged' ? 'warning' : 'info',
        code: 'projection.rebuilding',
        text: `${notice.projection} is folded from the log again: ${REBUILDING[notice.reason]}`,
      }
    case 'commit-failed':
      return {
        level: 'warning',
        code: 'projection.not-stored',
        text: `${notice.projection} could not be stored (${reasonOf(notice.error)}); nothing is lost, the log has it; trying again`,
      }
    case 'fold-failed':
      return {
        level: 'error',
        code: 'projection.fold-failed',
        text: `${notice.projection} passed over event ${notice.seq}: ${reasonOf(notice.error)}`,
      }
    case 'listener-failed':
      return {
        level: 'error',
        code: 'projection.listener-failed',
        text: `a listener of ${notice.projection} failed: ${reasonOf(notice.error)}`,
      }
  }
}
