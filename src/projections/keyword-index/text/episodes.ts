import { type EpisodeName, episodeWord, IS_EPISODE, IS_SEASON, RANGE_MAX, seasonWord } from './aliases.ts'
import { LINK } from './characters.ts'
import { DASH, IMPLIED, NAME, PLAIN, type Words } from './words.ts'

// Seasons and episodes that are named over several pieces: `S01 E05`, `S6.E1.E2`, `S01E05-E07`, `Season 1 Episode 5`.

/** The season or episode that was named last; it goes on if the next piece follows it. */
export class Episodes {
  readonly #words: Words
  /** -1 where it was not named. */
  #season = -1
  #episode = -1
  #at = 0
  /** The piece after it. */
  #end = -1

  constructor(words: Words) {
    this.#words = words
  }

  /** Of one piece; each of its episodes has a position. @returns the position of the last one */
  named({ season, episodes }: EpisodeName, position: number, gap: number): number {
    const [first] = episodes
    const isNext = this.#end === position
    if (first === undefined) {
      this.#words.put(seasonWord(season), position, 1, PLAIN)
      if (isNext && gap === LINK && this.#episode < 0) this.#seasonsUpTo(season, position)
      return this.#keep(season, -1, position, position)
    }
    const goesOn = isNext && (season < 0 || season === this.#season)
    const whole = goesOn ? this.#season : season
    if (goesOn && gap === LINK && this.#episode >= 0) this.#episodesUpTo(whole, first, position)
    if (season >= 0) this.#words.put(seasonWord(season), position, 1, IMPLIED)
    for (const [index, episode] of episodes.entries()) {
      const at = position + index
      this.#words.put(episodeWord(-1, episode), at, 1, season < 0 ? PLAIN : IMPLIED)
      if (season >= 0) this.#words.put(episodeWord(season, episode), at, 1, PLAIN)
      else if (whole >= 0) this.#name(whole, episode, index === 0 && this.#episode < 0 ? this.#at : at, at)
    }
    const last = position + episodes.length - 1
    return this.#keep(whole, episodes.at(-1) ?? first, last, last)
  }

  /** A number after a word of `flags` that says what it is, or after a hyphen the end of a range. */
  numbered(digits: string, flags: number, position: number, gap: number): void {
    const value = Number(digits)
    if ((flags & IS_SEASON) !== 0 && digits.length <= 2) this.#seasonOf(value, position)
    else if ((flags & IS_EPISODE) !== 0 && digits.length <= 4) this.#episodeOf(value, position)
    else if (this.#end !== position || digits.length > 3) return
    else if (gap === LINK) this.#upTo(value, position)
    else if (gap === DASH) this.#apart(value, digits.length, position)
  }

  /** `1 сезон`: the number stands before the word, which is at `position`. */
  numberedBefore(digits: string, flags: number, position: number): void {
    if (digits.length > 2) return
    if ((flags & IS_SEASON) !== 0) this.#seasonOf(Number(digits), position)
    else this.#episodeOf(Number(digits), position)
  }

  /** `S02E03 & E04`: a piece stands between them. */
  passOver(position: number): void {
    if (this.#end === position) this.#end += 1
  }

  /** `S2 - 05`, as anime is named: in titles alone, since it may be something else. */
  #apart(episode: number, digits: number, position: number): void {
    if (this.#season < 0 || this.#episode >= 0 || digits < 2) return
    this.#words.put(episodeWord(-1, episode), position, 1, IMPLIED)
    this.#words.put(episodeWord(this.#season, episode), position, 1, IMPLIED)
  }

  #seasonOf(season: number, position: number): void {
    this.#words.put(seasonWord(season), position - 1, 2, NAME)
    this.#keep(season, -1, position - 1, position)
  }

  #episodeOf(episode: number, position: number): void {
    this.#words.put(episodeWord(-1, episode), position - 1, 2, NAME)
    const season = this.#end === position - 1 && this.#episode < 0 ? this.#season : -1
    if (season >= 0) this.#name(season, episode, this.#at, position)
    this.#keep(season, episode, position - 1, position)
  }

  #upTo(value: number, position: number): void {
    const isEpisode = this.#episode >= 0
    const from = isEpisode ? this.#episode : this.#season
    if (value <= from || value - from > RANGE_MAX) return
    if (isEpisode) this.#episodesUpTo(this.#season, value, position)
    else this.#seasonsUpTo(value, position)
    this.#words.put(isEpisode ? episodeWord(this.#season, value) : seasonWord(value), position, 1, NAME)
    this.#keep(isEpisode ? this.#season : value, isEpisode ? value : -1, position, position)
  }

  #name(season: number, episode: number, from: number, to: number): void {
    this.#words.put(episodeWord(season, episode), from, to + 1 - from, NAME)
  }

  #keep(season: number, episode: number, at: number, last: number): number {
    this.#season = season
    this.#episode = episode
    this.#at = at
    this.#end = last + 1
    return last
  }

  #seasonsUpTo(season: number, position: number): void {
    if (season - this.#season > RANGE_MAX) return
    for (let member = this.#season + 1; member < season; member++) this.#words.put(seasonWord(member), position, 1, IMPLIED)
  }

  #episodesUpTo(season: number, episode: number, position: number): void {
    if (episode - this.#episode > RANGE_MAX) return
    for (let member = this.#episode + 1; member < episode; member++) {
      this.#words.put(episodeWord(-1, member), position, 1, IMPLIED)
      if (season >= 0) this.#words.put(episodeWord(season, member), position, 1, IMPLIED)
    }
  }
}
