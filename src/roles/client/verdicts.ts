import {
  type BadPiece,
  type Envelope,
  type EventLog,
  type InfoHash,
  isNodeId,
  type PeerId,
  type PieceRange,
} from '../../events/index.ts'
import type { TorrentEngine } from '../../torrent/index.ts'
import type { NoticeBoard } from '../node/notices.ts'
import type { Standing } from '../services.ts'

export type VerdictsOptions = {
  log: EventLog
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
 * only carried out.
 */
export class Verdicts {
  readonly #options: VerdictsOptions
  readonly #enforced = new Set<PeerId>()
  readonly #onThinIce = new Set<PeerId>()
  /** Bad pieces between the engine's word and the log's: a corrupter must not gain the milliseconds of an append. */
  readonly #unwritten = new Map<PeerId, number>()

  constructor(options: VerdictsOptions) {
    this.#options = options
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
   * @returns settled when the log has it
   */
  async judged(infoHash: InfoHash, subject: PeerId, good: readonly PieceRange[], bad: readonly BadPiece[]): Promise<void> {
    const unwritten = (this.#unwritten.get(subject) ?? 0) + bad.length
    this.#unwritten.set(subject, unwritten)
    this.#enforce(subject)
    // An address says nothing to others: only verdicts about proven keys travel.
    const stream = isNodeId(subject) ? 'gossip' : 'local'
    try {
      await this.#options.log.append([
        { stream, event: { kind: 'piece.judged', subject, infoHash, good: [...good], bad: [...bad] } },
      ])
    } catch (error) {
      this.#written(subject, bad.length)
      this.#options.notices.post('error', 'log.failed', `a verdict was not recorded: ${error}`)
      this.#enforce(subject)
    }
  }

  suspected(infoHash: InfoHash, index: number, sources: readonly PeerId[]): void {
    this.#options.log
      .append([{ stream: 'local', event: { kind: 'piece.suspected', infoHash, index, sources: [...sources] } }])
      .catch((error: unknown) => this.#options.notices.post('error', 'log.failed', `a suspicion was not recorded: ${error}`))
  }

  /** Follows the log, after the reputation projection: somebody's verdict or the operator's word may change a standing. */
  onAppended(envelopes: readonly Envelope[]): void {
    const subjects = new Set<PeerId>()
    for (const { event, author } of envelopes) {
      if (event.kind === 'piece.judged') {
        // The projection has counted it in this same turn: here it stops counting.
        if (author === this.#options.log.author) this.#written(event.subject, event.bad.length)
        subjects.add(event.subject)
      } else if (event.kind === 'operator.banned' || event.kind === 'operator.unbanned') {
        subjects.add(event.subject)
      }
    }
    for (const subject of subjects) this.#enforce(subject)
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
