import { type InfoHash, TAG_BYTES_MAX, TAGS_MAX, TITLE_BYTES_MAX, utf8Length } from '../../events/index.ts'
import { ServiceError } from '../services.ts'
import type { Publisher } from './publisher.ts'

// What a torrent is called in the index.

type Asked = { readonly title?: string | undefined; readonly tags?: readonly string[] | undefined }

/** @throws ServiceError `usage` */
export function checkDetails({ title = '', tags = [] }: Asked): void {
  if (utf8Length(title) > TITLE_BYTES_MAX) throw new ServiceError('usage', `a title has at most ${TITLE_BYTES_MAX} bytes`)
  if (tags.length > TAGS_MAX || tags.some((tag) => utf8Length(tag) > TAG_BYTES_MAX || tag.trim() === ''))
    throw new ServiceError('usage', `at most ${TAGS_MAX} tags, each of 1 to ${TAG_BYTES_MAX} bytes`)
}

/**
 * The same content again: what is not said anew stays as it was.
 * @returns the title under which it was published until now, too, if it was
 * @throws ServiceError `usage` for a title that nobody could find
 */
export function detailsOf(
  { infoHash, name }: { infoHash: InfoHash; name: string },
  { title: asked, tags: askedTags = [] }: Asked,
  publisher: Pick<Publisher, 'claimOf' | 'canBeFound'>,
): { title: string; tags: readonly string[]; before: string | undefined } {
  const claim = publisher.claimOf(infoHash)
  // Half of a character can be signed by nobody.
  const title = (asked ?? claim?.title ?? name).toWellFormed()
  const tags = askedTags.length > 0 ? askedTags.map((tag) => tag.toWellFormed()) : (claim?.tags ?? [])
  if (!publisher.canBeFound(title)) throw new ServiceError('usage', `"${title}" has no word to be found by: give a --title`)
  return { title, tags, before: claim?.title }
}
