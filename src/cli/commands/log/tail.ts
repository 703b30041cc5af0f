import { Flags } from '@oclif/core'
import type { EventRow } from '../../../roles/index.ts'
import { BaseCommand } from '../../base-command.ts'
import { eventLine, goneLine } from '../../render/events.ts'
import { withGonePlaces } from '../../services/gone-places.ts'
import { logFilterFlags } from '../../services/log-flags.ts'
import { reachLog } from '../../services/reach.ts'

export default class LogTail extends BaseCommand {
  static override summary = 'Show the last events, and new ones as they are appended.'
  static override description =
    'Follows a running node until Ctrl-C; of a stopped node it shows the last events and ends. Where places hold no event any more (pruned, or lost before a repair) a line says so, unless --kind leaves events out as well. With --json, JSON lines; such a line is {"gone":{"from":N,"to":N}}.'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --lines 50 --kind member.dead --json',
    '<%= config.bin %> <%= command.id %> --no-follow',
  ]
  static override flags = {
    lines: Flags.integer({
      char: 'n',
      min: 0,
      max: 100_000,
      default: 10,
      summary: 'Past events to begin with.',
      helpValue: 'N',
    }),
    follow: Flags.boolean({ char: 'f', allowNo: true, default: true, summary: 'Go on with new events.' }),
    kind: logFilterFlags.kind,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(LogTail)
    await using log = await reachLog(flags.data)
    const { seq: head } = await log.queries.head()
    const kinds = flags.kind === undefined ? {} : { kinds: flags.kind }
    const show = (row: EventRow) => this.emit(row, () => eventLine(row))
    const past: EventRow[] = []
    for await (const row of log.queries.events({ to: head, last: flags.lines, ...kinds })) past.push(row)
    // Fewer than were asked for are all there are. Between those of one kind, the others stand.
    const before = flags.lines === 0 ? head : past.length < flags.lines ? 0 : (past[0]?.seq ?? 1) - 1
    for (const item of flags.kind === undefined ? withGonePlaces(past, before, head) : past)
      await ('gone' in item ? this.emit(item, () => goneLine(item.gone)) : show(item))
    if (log.running === undefined || !flags.follow) return
    for await (const row of log.running.node.tail({ from: head, ...kinds })) await show(row)
  }
}
