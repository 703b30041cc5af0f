import type { ClientService } from '../../roles/index.ts'
import { bulkLine, bulkText, failureText, Pace, stoppedText } from '../render/bulk.ts'
import { type BulkResult, countResult, noCounts, publishInBulk } from './bulk-publish.ts'
import { EXIT } from './exit-code.ts'
import { disposeBeforeEnd } from './orderly-end.ts'
import { ProgressLine, writeLine } from './output.ts'
import type { BulkEntry } from './publish-list.ts'

/**
 * Publishes many, and tells what became of them: JSON lines with `json`, else what failed, on stderr, and a summary. The process ends
 * with 1 where some failed. Ctrl-C leaves whole what was begun.
 * @param options.total how many there are, null if that is not known
 */
export async function bulkCommand(
  client: Pick<ClientService, 'publishMany'>,
  entries: AsyncIterable<BulkEntry> | Iterable<BulkEntry>,
  options: { hidden: boolean; hybrid: boolean; json: boolean; total: number | null; leftOut?: readonly string[] },
): Promise<void> {
  const { json, total, hidden, hybrid, leftOut = [] } = options
  const line = new ProgressLine()
  const pace = new Pace(() => performance.now())
  const told = noCounts()
  const shows = !json && process.stderr.isTTY === true
  disposeBeforeEnd(async () => {
    line.end()
    process.stderr.write(`${stoppedText(told)}\n`)
  })
  try {
    const counts = await publishInBulk(
      client,
      entries,
      { hidden, hybrid },
      {
        async onResult(result: BulkResult) {
          countResult(told, result)
          if (json) await writeLine(JSON.stringify(result))
          else if (result.outcome === 'failed') {
            line.end()
            await writeLine(failureText(result), process.stderr)
          }
        },
        onProgress(progress) {
          const rate = pace.after(progress.done)
          if (shows) line.show((columns) => bulkLine(progress, total, rate, columns))
        },
      },
    )
    line.end()
    await writeLine(json ? JSON.stringify({ event: 'summary', ...counts }) : [bulkText(counts), ...leftOut].join('\n'))
    if (counts.failed > 0) process.exitCode = EXIT.failed
  } catch (error) {
    // The node is gone, say: what became of the rest until then was told.
    line.end()
    process.stderr.write(`${stoppedText(told)}\n`)
    throw error
  }
}
