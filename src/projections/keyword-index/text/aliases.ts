// What has several names in the titles of releases. Each rule gives one name to all of them, in titles and in queries
// alike, so that it costs a title no second keyword; see docs/search.md for the whole list.

/** Words that say what the number beside them is. `after`: the number may stand before them (`1 сезон`). */
const SEASON_WORDS = 'season seasons series staffel saison temporada stagione seizoen sezon сезон сезони kausi'
const EPISODE_WORDS = 'episode episodes ep eps folge episodio серия серии bolum aflevering avsnitt'
const AFTER_NUMBER = 'сезон серия серии sezon staffel bolum folge'

/** Names of one codec. */
export const CODECS: ReadonlyMap<string, string> = new Map([
  ...(['x264', 'h264', 'avc'] as const).map((name) => [name, 'h264'] as const),
  ...(['x265', 'h265', 'hevc'] as const).map((name) => [name, 'h265'] as const),
  ...(['x266', 'h266', 'vvc'] as const).map((name) => [name, 'h266'] as const),
])

/** Two words that are often one. */
const PAIRS = 'web dl|web rip|blu ray|dvd rip|hd rip|br rip|bd rip|hd tv|hd cam|hd dvd|tv rip|sat rip|dts hd'
/** Ends of words after an apostrophe, typed apart. */
const TAILS = 'll re ve'
/** Words of releases, after which a hyphen only divides: `XviD-GROUP`. */
const RELEASE_WORDS =
  'xvid divx web webrip webdl bluray bdrip brrip dvdrip hdrip hdtv pdtv sdtv dvd uhd hdr sdr remux aac flac dts truehd atmos proper repack internal h264 h265 hevc avc mp3 mkv mp4 epub pdf'
/** Ends of names that stand after a dot: `Node.js`. */
const DOT_NAMES = 'js io net tv fm'

export const IS_SEASON = 1
export const IS_EPISODE = 2
export const COMES_AFTER = 4
export const BEGINS_PAIR = 8
export const IS_TAIL = 16
export const IS_RELEASE = 32
export const IS_DOT_NAME = 64
export const IS_CODEC = 128

const FLAGS = new Map<string, number>()
const flag = (words: Iterable<string>, bit: number): void => {
  for (const word of words) FLAGS.set(word, (FLAGS.get(word) ?? 0) | bit)
}
flag(SEASON_WORDS.split(' '), IS_SEASON)
flag(EPISODE_WORDS.split(' '), IS_EPISODE)
flag(AFTER_NUMBER.split(' '), COMES_AFTER)
flag(
  PAIRS.split('|').map((pair) => pair.split(' ')[0] as string),
  BEGINS_PAIR,
)
flag(TAILS.split(' '), IS_TAIL)
flag(RELEASE_WORDS.split(' '), IS_RELEASE)
flag(DOT_NAMES.split(' '), IS_DOT_NAME)
flag(CODECS.keys(), IS_CODEC)

/** For each ASCII first letter, a bit mask of the lengths of table words that begin with it: it rules out most words without a look-up. */
const LENGTHS = new Uint16Array(128)
for (const word of FLAGS.keys()) {
  const first = word.charCodeAt(0)
  if (first < 128) LENGTHS[first] = (LENGTHS[first] as number) | (1 << word.length)
}

/** What a folded word is known for: some of the bits above. */
export function flagsOf(word: string): number {
  const first = word.charCodeAt(0)
  if (word.length > 15 || (first < 128 && ((LENGTHS[first] as number) & (1 << word.length)) === 0)) return 0
  return FLAGS.get(word) ?? 0
}

const PAIR_WORDS: ReadonlySet<string> = new Set(PAIRS.split('|'))
export const isPair = (first: string, second: string): boolean => PAIR_WORDS.has(`${first} ${second}`)

const AUDIO: ReadonlySet<string> = new Set('dd ddp ddpa aac flac opus dts dtshd dtsx truehd atmos pcm lpcm ma'.split(' '))
/** Of `ddp5` (with `.1` after it) the codec, `ddp`; undefined for other words. */
export function audioCodecOf(word: string): string | undefined {
  const last = word.charCodeAt(word.length - 1)
  if (last < 0x31 || last > 0x39 || word.length > 7) return undefined
  const codec = word.slice(0, -1)
  return AUDIO.has(codec) ? codec : undefined
}

/** Members that a range of seasons or episodes stands for; a longer one is two numbers. */
export const RANGE_MAX = 32
/** Episodes named in one word, `s01e01e02`. */
const EPISODES_IN_A_WORD_MAX = 8
const NUMBER_LENGTH_MAX = 4

/** `season`: -1 where only episodes are named; no episodes where only the season is. */
export type EpisodeName = { readonly season: number; readonly episodes: readonly number[] }

const isDigit = (unit: number): boolean => unit >= 48 && unit <= 57
const [S, E, X, P] = [0x73, 0x65, 0x78, 0x70]

/** Reads `s01`, `s01e05`, `s1e5e6`, `1x05`, `1x05x06`, `e05`, `ep05`. A word that is none gives undefined at its second letter or so. */
export function episodeNameOf(word: string): EpisodeName | undefined {
  const first = word.charCodeAt(0)
  let at = 0
  const number = (lengthMin: number, lengthMax: number): number => {
    const from = at
    while (at < word.length && at - from < lengthMax && isDigit(word.charCodeAt(at))) at += 1
    return at - from < lengthMin ? -1 : Number(word.slice(from, at))
  }
  let season = -1
  let mark = E
  if (first === S && isDigit(word.charCodeAt(1))) {
    at = 1
    season = number(1, NUMBER_LENGTH_MAX)
  } else if (isDigit(first)) {
    const x = word.charCodeAt(1) === X ? 1 : word.charCodeAt(2) === X ? 2 : 0
    if (x === 0 || !isDigit(word.charCodeAt(x + 2))) return undefined
    season = number(1, 2)
    if (at !== x) return undefined
    mark = X
  } else if (first === E) {
    const second = word.charCodeAt(1)
    if (second === P && isDigit(word.charCodeAt(2))) {
      at = 2
      const episode = number(1, NUMBER_LENGTH_MAX)
      return at === word.length ? { season, episodes: [episode] } : undefined
    }
    if (!isDigit(second)) return undefined
  } else return undefined
  const episodes: number[] = []
  while (at < word.length) {
    if (word.charCodeAt(at) !== mark || episodes.length === EPISODES_IN_A_WORD_MAX) return undefined
    at += 1
    const episode = number(mark === X ? 2 : 1, NUMBER_LENGTH_MAX)
    if (episode < 0) return undefined
    episodes.push(episode)
  }
  return { season, episodes }
}

const two = (number: number): string => (number < 10 ? `0${number}` : String(number))
export const seasonWord = (season: number): string => `s${two(season)}`
/** With season -1 the episode alone. */
export const episodeWord = (season: number, episode: number): string =>
  season < 0 ? `e${two(episode)}` : `s${two(season)}e${two(episode)}`
