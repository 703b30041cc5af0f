import { scrubLog, type TableDamage } from '../../events/damage/scrub.fs.ts'
import type { Clock, Timers } from '../../events/index.ts'
import type { NoticeBoard } from './notices.ts'

/** The first round, some time after the start, which has other work to do. */
const FIRST_AFTER_MS = 5_000
const LOOK_EVERY_MS = 3_600_000
/** Bytes a second that are read. A gigabyte takes a minute, and a processor is busy for a thirtieth of it. */
export const SCRUB_BYTES_PER_SECOND = 16e6
/** It rests at least for so long at a time, ms. */
const REST_MS = 10

type Parts = {
  readonly directory: string
  readonly clock: Clock
  readonly timers: Timers
  readonly notices: Pick<NoticeBoard, 'post'>
}

export type LogScrub = AsyncDisposable & { readonly damage: readonly TableDamage[] }

/** Reads the tables of the log in the background, each once a week, and tells what is damaged. */
export function startScrub({ directory, clock, timers, notices }: Parts, bytesPerSecond = SCRUB_BYTES_PER_SECOND): LogScrub {
  const damage: TableDamage[] = []
  const stopping = new AbortController()
  let owedMs = 0
  let endRest = () => {}
  const pause = async (bytes: number): Promise<void> => {
    owedMs += (bytes / bytesPerSecond) * 1_000
    if (owedMs < REST_MS) return
    const restMs = owedMs
    owedMs = 0
    await new Promise<void>((done) => {
      const cancelRest = timers.after(restMs, done)
      endRest = () => {
        cancelRest()
        done()
      }
    })
  }
  const onDamage = (found: TableDamage): void => {
    damage.push(found)
    notices.post('error', 'log.damaged', damageText(found))
  }
  let running: Promise<unknown> = Promise.resolve()
  let cancel = () => {}
  const round = (): void => {
    running = scrubLog({ directory, clock, pause, onDamage }, stopping.signal).catch((error: unknown) => {
      if (!stopping.signal.aborted) notices.post('warning', 'log.unread', `the log was not checked: ${String(error)}`)
    })
    cancel = timers.after(LOOK_EVERY_MS, round)
  }
  cancel = timers.after(FIRST_AFTER_MS, round)
  return {
    damage,
    async [Symbol.asyncDispose]() {
      cancel()
      stopping.abort()
      endRest()
      await running
    },
  }
}

export const damageText = ({ file, range: { from, to } }: TableDamage): string =>
  `the log is damaged in ${file}, ${to >= Number.MAX_SAFE_INTEGER - 1 ? `from event ${from} on` : `about events ${from} to ${to}`}: stop and start this node, which saves what is whole and asks its peers for the rest`
