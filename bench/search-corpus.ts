// Titles like those of a torrent index, made up: no list of real ones can be had. Words are drawn by Zipf from an
// invented vocabulary, put into release-name templates, one in twelve in another script. 45 % have no seeder but their
// publisher, the rest a Pareto tail. Queries are documents drawn by Zipf over rank, 1 to 4 of their words, 8 % without a hit.

export type Title = { readonly title: string; readonly sizeBytes: number; readonly seeders: number }

export type Random = () => number

/** Equal numbers for equal seeds, in [0, 1): xorshift32 (Marsaglia 2003). */
export function randomFrom(seed: number): Random {
  let state = (seed * 2654435761) >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T

const CONSONANTS = [...'bcdfghklmnprstvz']
const VOWELS = [...'aeiou']
const KANA = [...'アイウエカガキギクグサシスタダチテデトナニネノハバパマミムメモラリルレロン']
const HAN = [...'大小上下山川日月火水木金土天地人心手目口力刀弓馬鳥魚花草竹石王女子父母']
const CYRILLIC = [...'абвгдежзийклмнопрстуфхцчшыэюя']

function inventWord(random: Random): string {
  let word = ''
  const syllables = 1 + Math.floor(random() * 3)
  for (let index = 0; index < syllables; index++) word += pick(random, CONSONANTS) + pick(random, VOWELS)
  return random() < 0.4 ? word + pick(random, CONSONANTS) : word
}

const inventFrom = (random: Random, letters: readonly string[], length: number): string =>
  Array.from({ length }, () => pick(random, letters)).join('')

/** Index of a word: small ones often (Zipf with an exponent near 1). */
const zipf = (random: Random, count: number): number =>
  Math.min(count - 1, Math.floor(count ** random()) - 1 + (random() < 0.5 ? 0 : 1))

const QUALITY = ['720p', '1080p', '1080p', '2160p', '480p']
const SOURCE = ['WEB-DL', 'BluRay', 'HDTV', 'WEBRip', 'DVDRip']
const CODECS = ['x264', 'x264', 'x265', 'H.264', 'HEVC', 'AV1']
const GROUPS = ['ALPHA', 'BRAVO', 'DELTA', 'ECHO', 'KILO', 'LIMA', 'OSCAR', 'TANGO']

export const makeTitles = (count: number, seed: number): Title[] => [...eachTitle(count, seed)]

/** The same titles anywhere, one at a time. */
export function* eachTitle(count: number, seed: number): Generator<Title> {
  const random = randomFrom(seed)
  const words = Array.from({ length: 40_000 }, () => inventWord(random))
  const name = (): string => {
    const length = 1 + Math.floor(random() * 4)
    const parts = Array.from({ length }, () => {
      const word = words[zipf(random, words.length)] as string
      return word.charAt(0).toUpperCase() + word.slice(1)
    })
    const other = random()
    if (other < 0.03) parts.push(inventFrom(random, KANA, 5))
    else if (other < 0.06) parts.push(inventFrom(random, HAN, 4))
    else if (other < 0.083) parts.push(inventFrom(random, CYRILLIC, 7))
    return parts.join(random() < 0.6 ? '.' : ' ')
  }
  const two = (max: number): string => String(1 + Math.floor(random() * max)).padStart(2, '0')
  for (let made = 0; made < count; made++) {
    const template = random()
    const release = `${pick(random, QUALITY)}.${pick(random, SOURCE)}.${pick(random, CODECS)}-${pick(random, GROUPS)}`
    let title = name()
    if (template < 0.35) title += `.S${two(12)}E${two(24)}.${release}`
    else if (template < 0.7) title += `.${1950 + Math.floor(random() * 76)}.${release}`
    else if (template < 0.8) title = `[${pick(random, GROUPS)}] ${title} - ${two(26)} [${pick(random, QUALITY)}]`
    else if (template < 0.9) title += ` (${1950 + Math.floor(random() * 76)}) [FLAC]`
    const seeders = random() < 0.45 ? 0 : Math.min(20_000, Math.floor(1 / (1 - random()) ** 1.1))
    yield { title, sizeBytes: Math.floor(1e6 * 10 ** (random() * 4)), seeders }
  }
}

/** Words as both indexes know them: plain letters and digits, so that the same text can be asked of both. */
const plainWords = (title: string): string[] => title.toLowerCase().match(/[a-z0-9]{3,}/g) ?? []

export type Queries = { readonly [K in 'common' | 'prefix' | 'threeWords' | 'rare' | 'mixed']: readonly string[] }

export function makeQueries(titles: readonly Title[], seed: number): Queries {
  const random = randomFrom(seed)
  const byRank = [...titles].sort((a, b) => b.seeders - a.seeders)
  const frequency = new Map<string, number>()
  for (const { title } of titles)
    for (const word of new Set(plainWords(title))) frequency.set(word, (frequency.get(word) ?? 0) + 1)
  const byFrequency = [...frequency].sort((a, b) => b[1] - a[1])
  const common = byFrequency.slice(0, 5).map(([word]) => word)
  const rare = byFrequency.filter(([, count]) => count <= 3)
  const anyTitle = (): string => (byRank[zipf(random, byRank.length)] as Title).title
  const words = (count: number): string[] => {
    const all = [...new Set(plainWords(anyTitle()))]
    return Array.from(
      { length: Math.min(count, all.length) },
      () => all.splice(Math.floor(random() * all.length), 1)[0] as string,
    )
  }
  return {
    common,
    prefix: Array.from({ length: 30 }, () => `${pick(random, byFrequency)[0].slice(0, 3)}*`),
    threeWords: Array.from({ length: 60 }, () => [...new Set([...words(2), pick(random, common)])].join(' ')),
    rare: Array.from({ length: 100 }, () => pick(random, rare)[0]),
    mixed: Array.from({ length: 300 }, () =>
      random() < 0.08
        ? `zzqx${Math.floor(random() * 1e6)}`
        : words(1 + Math.floor(random() * 4)).join(' ') || pick(random, common),
    ),
  }
}
