/** What one caller may leave unread, in bytes: each of the calls it may have open waits with a line and what its stream holds. */
export const SESSION_UNREAD_BYTES_MAX = 20 * 1024 * 1024

/** What all callers may leave unread together, in bytes. */
export const ALL_UNREAD_BYTES_MAX = 64 * 1024 * 1024

/** Answers up to this length are written whatever others leave unread, so that status and stop get through, bytes. */
export const SMALL_ANSWER_BYTES_MAX = 64 * 1024

/** A stream that waits for its reader holds a batch of the log (1,024 events) beside its line; so much is counted for it, bytes. */
export const WAITING_STREAM_BYTES = 256 * 1024

/** Why a line was not written. */
export type Unwritten = 'session' | 'all'

/** What was written for callers and not read by them yet, over all sessions. A session's own count is passed in. */
export class Unread {
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  /**
   * Whether a line of `bytes` may be written for a session that has left `own` bytes unread. One alone may have any length:
   * a listing is longer than what many may leave, and its reader takes it.
   * @returns the bound that it would pass, or undefined
   */
  refusal(bytes: number, own: number): Unwritten | undefined {
    if (own > 0 && own + bytes > SESSION_UNREAD_BYTES_MAX) return 'session'
    const isSmall = own === 0 && bytes <= SMALL_ANSWER_BYTES_MAX
    if (!isSmall && this.#bytes > 0 && this.#bytes + bytes > ALL_UNREAD_BYTES_MAX) return 'all'
    return undefined
  }

  /** @param bytes below 0: they were read */
  count(bytes: number): void {
    this.#bytes += bytes
  }
}

/** The sentence for whoever reads too slowly, and for whoever pays for others that do. */
export const unreadSentence = (why: Unwritten): string =>
  why === 'session'
    ? `this caller leaves more than ${SESSION_UNREAD_BYTES_MAX >> 20} MiB of answers unread: read faster, or ask for less at once`
    : `callers leave more than ${ALL_UNREAD_BYTES_MAX >> 20} MiB of answers unread: end those that do not read, and ask again`
