import type { FileChange } from '../../events/index.ts'
import type { Download } from '../../projections/downloads/index.ts'

const WHAT: Readonly<Record<FileChange['how'], string>> = {
  gone: 'is gone',
  shorter: 'is shorter than it was',
  modified: 'was changed or replaced by something else',
  'bad-piece': 'no longer holds what was verified',
}

/** What became of a torrent whose files somebody else changed, and what to do, a sentence. */
export const changedText = (
  { infoHash, directory }: Pick<Download, 'infoHash' | 'directory'>,
  { path, how }: FileChange,
): string =>
  `${path} in ${directory} ${WHAT[how]}, so nothing of the torrent is shared any more: ` +
  `put it back as it was, or leave it, and run \`p2pt client recheck ${infoHash}\``
