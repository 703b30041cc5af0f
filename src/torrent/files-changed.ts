import type { FileChange } from '../events/index.ts'
import { TorrentError } from './engine.ts'

/** Somebody else changed a file under a torrent: nothing of it leaves any more. */
export class FilesChanged extends TorrentError {
  readonly change: FileChange

  constructor(change: FileChange) {
    super('FILES_CHANGED', `${change.path} is not as it was when it was verified (${change.how})`)
    this.change = change
  }
}
