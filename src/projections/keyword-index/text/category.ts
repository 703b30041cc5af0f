import { fold } from './fold.ts'
import { keywordsOf } from './tokenizer.ts'

// What kind of thing a torrent is: what its publisher says, or else what its title looks like.

export const CATEGORIES = ['movie', 'tv', 'anime', 'music', 'book', 'software', 'game', 'other'] as const
export type Category = (typeof CATEGORIES)[number]

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '))

const NAMES: ReadonlyMap<string, Category> = new Map(
  (
    [
      ['movie', 'movie movies film films'],
      ['tv', 'tv series show shows television'],
      ['anime', 'anime'],
      ['music', 'music audio song songs album albums'],
      ['book', 'book books ebook ebooks comic comics audiobook audiobooks'],
      ['software', 'software app apps application applications program programs'],
      ['game', 'game games'],
      ['other', 'other'],
    ] as const
  ).flatMap(([category, names]) => names.split(' ').map((name) => [name, category] as const)),
)

/** The category that a tag names; undefined for other tags. */
export const categoryNamed = (tag: string): Category | undefined => NAMES.get(fold(tag).trim())

const EPISODE = /^s\d{2,4}(?:e\d{2,4})?$/
const NUMBERED_OF_A_GROUP = /^\s*\[[^\]]+\].* - \d{2,4}(?:v\d)?(?:\D|$)/
const YEAR = /^(?:19|20)\d{2}$/
const VERSION = /(?:^|[\s_-])v?\d+\.\d+\.\d+/
const VIDEO = words(
  '480p 576p 720p 1080p 1080i 2160p 4k uhd bluray bdrip brrip dvdrip dvdscr webrip webdl hdtv hdrip hdcam remux xvid divx h264 h265 av1 mkv mp4 avi hdr',
)
const MUSIC = words(
  'flac mp3 alac wav lossless discography album vinyl soundtrack ost 320kbps 256kbps 192kbps kbps 24bit 16bit m4a ape mixtape',
)
const BOOK = words('epub pdf mobi azw3 djvu cbr cbz fb2 ebook ebooks audiobook audiobooks m4b')
const SOFTWARE = words(
  'x64 x86 portable setup installer keygen crack patch windows macos linux ubuntu debian fedora apk exe iso amd64 arm64 netinst',
)
const GAME = words(
  'fitgirl gog codex skidrow reloaded plaza elamigos dodi razor1911 tenoke empress ps2 ps3 ps4 ps5 xbox nsw nintendo steam steamrip',
)

/** By its title alone; `other` where nothing tells. */
function categoryOfTitle(title: string, found: readonly string[]): Category {
  const has = (set: ReadonlySet<string>): boolean => found.some((word) => set.has(word))
  if (NUMBERED_OF_A_GROUP.test(title)) return 'anime'
  const isVideo = has(VIDEO)
  if (found.some((word) => EPISODE.test(word)) && !has(GAME)) return 'tv'
  if (has(GAME)) return 'game'
  if (has(BOOK)) return 'book'
  if (isVideo && (!has(MUSIC) || found.some((word) => YEAR.test(word)))) return 'movie'
  if (has(MUSIC)) return 'music'
  if (has(SOFTWARE) || VERSION.test(title)) return 'software'
  return 'other'
}

/**
 * The first category among the tags of the publisher, or else by rules of the title.
 * @param keywords those of the title, where they are known already
 */
export function categoryOf(title: string, tags: readonly string[], keywords?: readonly string[]): Category {
  for (const tag of tags) {
    const named = categoryNamed(tag)
    if (named !== undefined) return named
  }
  return categoryOfTitle(title, keywords ?? keywordsOf(title))
}
