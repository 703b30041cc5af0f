import type { FileChange, InfoHash, PieceRange } from '../../events/index.ts'
import type { Download } from '../../projections/downloads/index.ts'
import type { DiskState, TorrentMetainfo } from '../../torrent/index.ts'
import type { NoticeBoard } from '../node/notices.ts'
import { changedText } from './changed-files.ts'
import { checked, described, stamped } from './download-events.ts'
import { renamedText } from './renamed-files.ts'
import type { TorrentQueue } from './torrent-queue.ts'
import type { TorrentRecord } from './torrent-record.ts'
import type { TorrentSettings } from './torrent-settings.ts'

export type TorrentNewsOptions = { notices: NoticeBoard; download(infoHash: InfoHash): Download | undefined }

/** What the engine tells of torrents, as events and notices. */
export class TorrentNews {
  readonly #options: TorrentNewsOptions
  readonly #record: TorrentRecord
  readonly #queue: TorrentQueue
  readonly #settings: TorrentSettings
  /** Of torrents whose files are called otherwise on the disk: the engine tells so at every start. */
  readonly #notes = new Map<InfoHash, string>()

  constructor(options: TorrentNewsOptions, record: TorrentRecord, queue: TorrentQueue, settings: TorrentSettings) {
    this.#options = options
    this.#record = record
    this.#queue = queue
    this.#settings = settings
  }

  /** What is good to know of a torrent though nothing is wrong. */
  note(infoHash: InfoHash): string | undefined {
    return this.#notes.get(infoHash)
  }

  forget(infoHash: InfoHash): void {
    this.#notes.delete(infoHash)
  }

  described(metainfo: TorrentMetainfo): void {
    // The engine tells so at every start; the log has the metainfo, of up to 5.5 MiB, once.
    const isKnown = () => (this.#options.download(metainfo.infoHash)?.pieceCount ?? 0) > 0
    const note = renamedText(metainfo)
    if (note !== undefined) this.#notes.set(metainfo.infoHash, note)
    this.#record.recordLater(async () => {
      if (isKnown()) return []
      if (note !== undefined) this.#options.notices.post('info', 'torrent.renamed', note)
      const { selection = null, torrentFile } = this.#options.download(metainfo.infoHash) ?? {}
      const isByLink = torrentFile === undefined
      // Else it is in the addition.
      const description = isByLink ? described(metainfo) : { ...described(metainfo), torrentFile: new Uint8Array() }
      // Of a magnet link: only now it is known which pieces its wanted files are in.
      return [description, ...(selection && isByLink ? [await this.#settings.selected(metainfo.infoHash, selection)] : [])]
    })
  }

  verified(infoHash: InfoHash, pieces: readonly PieceRange[]): void {
    this.#record.recordLater(() => [{ kind: 'download.verified', infoHash, pieces: [...pieces] }])
  }

  checked(infoHash: InfoHash, found: DiskState): void {
    this.#record.recordLater(() => checked(infoHash, found))
  }

  stamped(infoHash: InfoHash, stamps: DiskState['stamps']): void {
    this.#record.recordLater(() => stamped(infoHash, stamps))
  }

  /** Somebody else changed a file under a torrent: its owner is the one who must know. */
  changed(infoHash: InfoHash, change: FileChange): void {
    this.#record.recordLater(() => [{ kind: 'download.changed', infoHash, ...change }])
    const download = this.#options.download(infoHash)
    if (download !== undefined) this.#record.problem(`"${download.name}": ${changedText(download, change)}`)
  }

  failed(infoHash: InfoHash, problem: string): void {
    const name = this.#options.download(infoHash)?.name ?? infoHash
    this.#record.problem(`"${name}": ${problem}`)
  }

  /** @returns false if the log has it as complete already: a restart, not news */
  async completed(infoHash: InfoHash): Promise<boolean> {
    await this.#record.added()
    const download = this.#options.download(infoHash)
    if (download === undefined || download.completed) return false
    await this.#record.record([{ kind: 'download.completed', infoHash }])
    void this.#queue.plan()
    this.#options.notices.post('info', 'download.completed', `finished "${this.#options.download(infoHash)?.name ?? infoHash}"`)
    return true
  }
}
