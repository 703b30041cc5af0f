import { pino } from 'pino'
import type { Overlay } from '../../network/index.ts'
import type { Notice } from '../services.ts'
import type { StartOptions } from '../start.ts'
import type { NoticeBoard } from './notices.ts'

const LEVELS: Record<Notice['level'], 'info' | 'warn' | 'error'> = { info: 'info', warning: 'warn', error: 'error' }

/** Characters that wait while stderr takes none; above it, lines are dropped. */
const BUFFERED_MAX = 64 * 1024

/** The program's own log: JSON lines on stderr, for those who collect them. What matters to the node is in the event log. */
export function startProgramLog(
  level: StartOptions['logLevel'],
  node: { id: string; notices: NoticeBoard; overlay: Overlay },
): Disposable {
  if (level === 'silent') return { [Symbol.dispose]() {} }
  const output = pino.destination({ fd: 2, sync: true, maxLength: BUFFERED_MAX })
  // A full disk, or a reader that went: lines are lost, the node is not.
  output.on('error', () => {})
  const log = pino({ level, base: { node: node.id.slice(0, 8), pid: process.pid } }, output)
  const stopLinks = node.overlay.onLinks(({ up, peer, why }) => log.debug({ peer, why }, up ? 'linked' : 'unlinked'))
  const stopNotices = node.notices.onPosted(({ level: noticeLevel, code, text }) => log[LEVELS[noticeLevel]]({ code }, text))
  return {
    [Symbol.dispose]() {
      stopLinks()
      stopNotices()
    },
  }
}
