import { LogError } from '../../events/index.ts'
import { NetworkError } from '../../network/network-error.ts'
import { TorrentError } from '../../torrent/index.ts'
import { DataDirectoryError } from '../directory/data-directory-error.ts'
import { ServiceError } from '../services.ts'

/** What another flag mends. */
const USAGE: readonly DataDirectoryError['code'][] = ['DIRECTORY_MISSING', 'NO_NETWORK', 'OTHER_NETWORK']

/**
 * What an operator can mend as a ServiceError with the same sentence; anything else, a bug, as it is.
 * @param directory of the node, to say what to do about a damaged log
 */
export function asServiceError(error: unknown, directory?: string): unknown {
  if (error instanceof LogError) {
    if (error.code === 'LOG_DAMAGED' && directory !== undefined)
      return new ServiceError(
        'damaged',
        `${error.message}; run \`p2pt log repair --data ${directory}\`, which saves every event that is still whole`,
        { cause: error },
      )
    const damaged = error.code === 'LOG_DAMAGED' || error.code === 'LOG_NEWER' || error.code === 'LOG_FOREIGN'
    return new ServiceError(damaged ? 'damaged' : 'failed', error.message, { cause: error })
  }
  if (error instanceof DataDirectoryError && (error.code === 'DIRECTORY_NEWER' || error.code === 'IMPORT_UNFINISHED')) {
    return new ServiceError('damaged', error.message, { cause: error })
  }
  if (error instanceof DataDirectoryError && USAGE.includes(error.code)) {
    return new ServiceError('usage', error.message, { cause: error })
  }
  if (error instanceof DataDirectoryError || error instanceof NetworkError || error instanceof TorrentError) {
    return new ServiceError('failed', error.message, { cause: error })
  }
  return error
}
