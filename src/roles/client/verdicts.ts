import {
  type Appender,
  type BadPiece,
  type Envelope,
  type InfoHash,
  LogError,
  type NodeId,
  type PeerId,
  type PieceRange,
} from '../../events/index.ts'
import type { TorrentEngine } from '../../torrent/index.ts'
import type { NoticeBoard } from '../node/notices.ts'
import { ServiceError, type Standing } from '../services.ts'
import { KeptVerdicts, type Verdict } from './kept-verdicts.ts'

export type VerdictsOptions = {
  /** This node. */
  author: NodeId
  appender: Appender
  /** Calls back when the log begins to refuse writes, and with undefined when it takes them again; returns what stops it. */
  onWriteFailure(listener: (reason: string | undefined) => void): () => void
  engine: Pick<TorrentEngine, 'ban' | 'unban' | 'thinIce'>
  notices: NoticeBoard
  /**
   * What the reputation projection says now. `moreBad`: own bad pieces that were seen but are not in the log yet.
   */
  standingOf(peer: PeerId, moreBad: number): { standing: Standing; score: number; because: string }
  /** Everyone that something is known of, for the start. */
  peers(): Iterable<PeerId>
}

/**
 * From what the engine saw to events, and from what follows of them back to the engine: bans are never decided here,
 * only carried out. While the log cannot be written, verdicts count as if it had them, and are kept for it.
 */
export class Verdicts {
  readonly #options: VerdictsOptions
  readonly #enforced = new Set<PeerId>()
  readonly #onThinIce = new Set<PeerId>()
  /** Bad pieces between the engine's word and the log's: a corrupter must not gain the milliseconds of an append. */
  readonly #unwritten = new Map<PeerId, number>()
  readonly #kept = new KeptVerdicts()
  readonly #unlisten: () => void
  #recording: Promise<void> | undefined
  /** The operator was told that verdicts wait. */
  #isFailureTold = false

  constructor(options: VerdictsOptions) {
    this.#options = options
    this.#unlisten = options.onWriteFailure((reason) => {
      if (reason === undefined) void this.#recordKept()
    })
  }

  /** Carries out again what the log says, without saying it again. */
  restore(): void {
    for (const peer of this.#options.peers()) {
      const { standing } = this.#options.standingOf(peer, 0)
      if (standing === 'banned') {
        this.#enforced.add(peer)
        this.#options.engine.ban(peer)
      } else if (standing === 'thin-ice') {
        this.#onThinIce.add(peer)
        this.#options.engine.thinIce(peer, true)
      }
    }
  }

  /**
   * One verdict of the engine; the ban, where it makes one, happens before this returns.
   * @returns settled when the log has it, or when it is kept since the log takes nothing
   */
  async judged(infoHash: InfoHash, subject: PeerId, good: readonly PieceRange[], bad: readonly BadPiece[]): Promise<void> {
    const unwritten = (this.#unwritten.get(subject) ?? 0) + bad.length
    if (unwritten > 0) this.#unwritten.set(subject, unwritten)
    this.#enforce(subject)
    await this.#record([{ kind: 'piece.judged', subject, infoHash, good: [...good], bad: [...bad] }])
  }

  /** Tries once more to record what is kept; resolves when that is over. Nothing is followed after it. */
  async close(): Promise<void> {
    this.#unlisten()
    await this.#recordKept()
  }

  #recordKept(): Promise<void> {
    this.#recording ??= (async () => {
      const verdicts = this.#kept.takeAll()
      await this.#record(verdicts)
      if (this.#kept.count > 0 || !this.#isFailureTold) return
      this.#isFailureTold = false
      this.#options.notices.post('info', 'verdicts.recorded', `${verdicts.length} verdicts that waited are in the log`)
    })().finally(() => {
      this.#recording = undefined
    })
    return this.#recording
  }

  async #record(verdicts: readonly Verdict[]): Promise<void> {
    await Promise.all(
      verdicts.map((verdict) => this.#append(verdict).catch((error: unknown) => this.#unrecorded(verdict, error))),
    )
  }

  async #append(event: Verdict): Promise<void> {
    try {
      await this.#options.appender.append([{ event }])
    } catch (error) {
      // A node that must say nothing to others still remembers for itself.
      if (!(error instanceof ServiceError)) throw error
      await this.#options.appender.append([{ event, isPrivate: true }])
    }
  }

  /** A full disk lets nobody back in: what a verdict made stays as it is. */
  #unrecorded(verdict: Verdict, error: unknown): void {
    const { notices } = this.#options
    const reason = error instanceof Error ? error.message : String(error)
    if (!(error instanceof LogError)) {
      notices.post('error', 'log.failed', `a verdict was not recorded: ${reason}`)
      return
    }
    const gone = this.#kept.keep(verdict)
    // Its ban, if it made one, stays until the node stops.
    if (gone !== undefined) this.#written(gone.subject, gone.bad.length)
    if (this.#isFailureTold) return
    this.#isFailureTold = true
    notices.post(
      'error',
      'log.failed',
      `verdicts are not recorded: ${reason}. They hold, and are recorded when that is possible`,
    )
  }

  suspected(infoHash: InfoHash, index: number, sources: readonly PeerId[]): void {
    this.#options.appender
      .append([{ event: { kind: 'piece.suspected', infoHash, index, sources: [...sources] } }])
      .catch((error: unknown) => this.#options.notices.post('error', 'log.failed', `a suspicion was not recorded: ${error}`))
  }

  /** Follows the log, after the reputation projection: somebody's verdict or the operator's word may change a standing. */
  onAppended(envelopes: readonly Envelope[]): void {
    const subjects = new Set<PeerId>()
    for (const { event, author } of envelopes) {
      if (event.kind === 'piece.judged') {
        // The projection has counted it in this same turn: here it stops counting.
        if (author === this.#options.author) this.#written(event.subject, event.bad.length)
        subjects.add(event.subject)
      } else if (event.kind === 'access.revoked') {
        // Whoever its word has hurt: only what is enforced can be lifted by that.
        for (const peer of [...this.#enforced, ...this.#onThinIce]) subjects.add(peer)
      } else if (event.kind === 'operator.banned' || event.kind === 'operator.unbanned') {
        subjects.add(event.subject)
      }
    }
    for (const subject of subjects) this.#enforce(subject)
    // The log takes events again.
    if (this.#kept.count > 0) void this.#recordKept()
  }

  #written(subject: PeerId, badPieces: number): void {
    const left = (this.#unwritten.get(subject) ?? 0) - badPieces
    if (left > 0) this.#unwritten.set(subject, left)
    else this.#unwritten.delete(subject)
  }

  #enforce(peer: PeerId): void {
    const { standing, score, because } = this.#options.standingOf(peer, this.#unwritten.get(peer) ?? 0)
    if ((standing === 'thin-ice') !== this.#onThinIce.has(peer)) {
      if (standing === 'thin-ice') this.#onThinIce.add(peer)
      else this.#onThinIce.delete(peer)
      this.#options.engine.thinIce(peer, standing === 'thin-ice')
    }
    if (standing === 'banned' && !this.#enforced.has(peer)) {
      this.#enforced.add(peer)
      this.#options.engine.ban(peer)
      this.#options.notices.post('warning', 'peer.banned', `banned ${peer}: score ${score}, ${because}`)
    } else if (standing !== 'banned' && this.#enforced.delete(peer)) {
      this.#options.engine.unban(peer)
      this.#options.notices.post('info', 'peer.unbanned', `no longer banned: ${peer}: score ${score}, ${because}`)
    }
  }
}
