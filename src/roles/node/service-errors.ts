import { DataDirectoryError } from '../../events/data-directory.fs.ts'
import { LogError } from '../../events/index.ts'
import { NetworkError } from '../../network/network-error.ts'
import { TorrentError } from '../../torrent/index.ts'
import { ServiceError } from '../services.ts'

/** What an operator can mend as a ServiceError with the same sentence; anything else, a bug, as it is. */
export function asServiceError(error: unknown): unknown {
  if (error instanceof LogError) {
    const damaged = error.code === 'LOG_DAMAGED' || error.code === 'LOG_NEWER' || error.code === 'LOG_FOREIGN'
    return new ServiceError(damaged ? 'damaged' : 'failed', error.message, { cause: error })
  }
  if (error instanceof DataDirectoryError || error instanceof NetworkError || error instanceof TorrentError) {
    return new ServiceError('failed', error.message, { cause: error })
  }
  return error
}
