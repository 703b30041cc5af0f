import type { TorrentMetainfo } from '../../torrent/index.ts'

const SHOWN_MAX = 3

/** Which files of a torrent are called otherwise on the disk, for a person; undefined if none is. */
export function renamedText({ name, renamed = [] }: Pick<TorrentMetainfo, 'name' | 'renamed'>): string | undefined {
  if (renamed.length === 0) return undefined
  const shown = renamed.slice(0, SHOWN_MAX).map(({ from, to }) => `${JSON.stringify(from)} is ${JSON.stringify(to)}`)
  const more = renamed.length > SHOWN_MAX ? `, and ${renamed.length - SHOWN_MAX} more` : ''
  return `"${name}": some of its names cannot stand as they are: ${shown.join(', ')}${more}`
}
