import { BaseCommand } from '../../base-command.ts'
import { eventLine } from '../../render/events.ts'
import { atFlag, placeAt } from '../../services/at-flag.ts'
import { logFilter, logFilterFlags } from '../../services/log-flags.ts'
import { reachLog } from '../../services/reach.ts'

export default class LogShow extends BaseCommand {
  static override summary = 'Show events of the log.'
  static override description =
    "One event a line: its place in this log, Lamport stamp, time (its author's claim), author, kind, and what it says. With --json, JSON lines. Reads a running node through its socket and a stopped one from its directory."
  static override examples = [
    '<%= config.bin %> <%= command.id %> --limit 20',
    '<%= config.bin %> <%= command.id %> --kind piece.judged --kind torrent.published --json',
    '<%= config.bin %> <%= command.id %> --from 100 --to 200 --author 3f9a',
    '<%= config.bin %> <%= command.id %> --at 2026-11-23T09:00:00Z --kind member.dead',
  ]
  static override flags = {
    ...logFilterFlags,
    at: { ...atFlag.at, exclusive: ['to'], summary: 'The log as it stood at this moment: nothing that came later.' },
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(LogShow)
    await using log = await reachLog(flags.data)
    const place = await placeAt(log.queries, flags.at)
    if (place?.seq === 0) {
      // A list with nothing in it, for a program.
      this.log('no events: the log began after that')
      return
    }
    const filter = logFilter({ ...flags, to: place?.seq ?? flags.to })
    let shown = 0
    for await (const row of log.queries.events(filter)) {
      await this.emit(row, () => eventLine(row))
      shown += 1
    }
    if (shown === 0) this.log(place === undefined ? 'no such events' : 'no such events by then')
  }
}
