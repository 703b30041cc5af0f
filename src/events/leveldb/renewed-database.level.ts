import { assertRoomToOpen } from '../files/room.fs.ts'
import { reasonOf } from '../log/committed-log.ts'
import { LogError } from '../log/event-log.ts'
import type { LogDatabase } from './log-database.level.ts'

/** Codes of abstract-level for what was closed under a reader. */
const CLOSED_UNDER_READER = new Set(['LEVEL_DATABASE_NOT_OPEN', 'LEVEL_ITERATOR_NOT_OPEN', 'LEVEL_SNAPSHOT_NOT_OPEN'])

/**
 * A database that is opened anew after a failed write, and can be read all the while. LevelDB holds a lock, so the new
 * handle cannot be there before the old one is closed, and opening writes: without room it would leave no handle at all.
 * So the old one is kept until there is room; and should that be taken in the moment between, each read tries again.
 */
export class RenewedDatabase {
  #database: LogDatabase
  readonly #open: () => Promise<LogDatabase>
  #opening: Promise<LogDatabase> | undefined
  #isClosed = false

  /** @param open opens the database again */
  constructor(database: LogDatabase, open: () => Promise<LogDatabase>) {
    this.#database = database
    this.#open = open
  }

  /** The last handle that was open. */
  get current(): LogDatabase {
    return this.#database
  }

  /** The handle to read from: at once where it is open. @throws LogError `LOG_CLOSED`, `LOG_UNAVAILABLE` */
  get readable(): LogDatabase | Promise<LogDatabase> {
    if (this.#isClosed) throw new LogError({ code: 'LOG_CLOSED' })
    if (this.#opening === undefined && this.#database.status === 'open') return this.#database
    return this.#reopen().catch((cause: unknown) => {
      throw new LogError({ code: 'LOG_UNAVAILABLE', reason: reasonOf(cause) }, { cause })
    })
  }

  /** Another handle, which starts a new file. @throws what the disk says; the old one is then read from as before */
  async renew(): Promise<void> {
    if (this.#opening === undefined && this.#database.status === 'open') await assertRoomToOpen(this.#database.location)
    await this.#reopen()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#opening?.catch(() => {})
    await this.#database.close()
  }

  /** One at a time: a second open of the same process would lose LevelDB's lock. */
  #reopen(): Promise<LogDatabase> {
    const reopen = async (): Promise<LogDatabase> => {
      await this.#database.close()
      this.#database = await this.#open()
      return this.#database
    }
    this.#opening ??= reopen().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }
}

/** What a reader meets under whom the handle was renewed; any other error as it is. */
export function asUnavailable(error: unknown): unknown {
  if (!CLOSED_UNDER_READER.has((error as { code?: string }).code ?? '')) return error
  const reason = 'it was opened anew in the midst of a read, after a failed write; ask again'
  return new LogError({ code: 'LOG_UNAVAILABLE', reason }, { cause: error })
}
