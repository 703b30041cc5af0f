import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { takeLock } from '../../events/files/process-lock.fs.ts'
import { replaceFile } from '../../events/files/replace-file.fs.ts'
import { type Invitation, isExpired, isNodeId, LogError, type Millis } from '../../events/index.ts'
import { ServiceError } from '../services.ts'

// The invitations that an owner has made, in a file beside its key: an unused one is in no log, so only this file has its name.
// The secret of an invitation is in its join string, and not kept here.

const BOOK_FILE = 'invitations.json'
const FORMAT = 1
export const INVITATIONS_MAX = 10_000
/** Another process is at it for some milliseconds only. */
const LOCK_TRIES = 500
const LOCK_WAIT_MS = 20

/**
 * The oldest first; none where the folder is older than this file.
 * @throws ServiceError `failed` if the file is damaged
 */
export function readBook(directory: string): readonly Invitation[] {
  const file = join(directory, BOOK_FILE)
  if (!existsSync(file)) return []
  try {
    const { format, invitations } = JSON.parse(readFileSync(file, 'utf8')) as { format: unknown; invitations: unknown }
    if (format === FORMAT && Array.isArray(invitations) && invitations.every(isInvitation)) return invitations
  } catch (cause) {
    throw damaged(file, cause)
  }
  throw damaged(file)
}

const damaged = (file: string, cause?: unknown): ServiceError =>
  new ServiceError(
    'failed',
    `${file} is damaged: put it back from a copy, or remove it, and revoke by join string or by whole key what it held`,
    { cause },
  )

function isInvitation(value: unknown): value is Invitation {
  const { key, role, name, issuedAt, expiresAt } = (value ?? {}) as { [F in keyof Invitation]?: unknown }
  return (
    typeof key === 'string' &&
    isNodeId(key) &&
    (role === 'member' || role === 'client') &&
    typeof name === 'string' &&
    [issuedAt, expiresAt].every((each) => Number.isSafeInteger(each) && Number(each) >= 0)
  )
}

/**
 * Writes one more into it. In a full book those that have expired go, and then the oldest.
 * @throws ServiceError `failed` if the file is damaged or cannot be written
 */
export function enterInBook(directory: string, invitation: Invitation, now: Millis): void {
  let release: (() => void) | undefined
  try {
    release = lockBook(directory)
    const before = readBook(directory)
    const kept = before.length < INVITATIONS_MAX ? before : before.filter((each) => !isExpired(each, now))
    const invitations = [...kept, invitation].slice(-INVITATIONS_MAX)
    replaceFile(join(directory, BOOK_FILE), Buffer.from(`${JSON.stringify({ format: FORMAT, invitations })}\n`))
  } catch (cause) {
    if (cause instanceof ServiceError) throw cause
    const why = `no invitation is made, as it cannot be noted in ${directory}: ${(cause as Error).message}`
    throw new ServiceError('failed', why, { cause })
  } finally {
    release?.()
  }
}

/** Waits for its turn: of two that read and then write at once, one would be forgotten. */
function lockBook(directory: string): () => void {
  for (let tries = 1; ; tries += 1) {
    try {
      return takeLock(join(directory, `${BOOK_FILE}.lock`), directory)
    } catch (error) {
      if (!(error instanceof LogError && error.code === 'LOG_LOCKED') || tries === LOCK_TRIES) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_WAIT_MS)
    }
  }
}
