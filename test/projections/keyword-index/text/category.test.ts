import assert from 'node:assert/strict'
import { CATEGORIES, categoryOf, passes } from '../../../../src/projections/keyword-index/text/index.ts'

describe('the category of a torrent', () => {
  const TITLES: readonly [category: string, ...titles: string[]][] = [
    [
      'tv',
      'Dark.Harbor.S01E05.1080p.WEB-DL',
      'Dark Harbor Season 1',
      'Dark Harbor 1x05',
      'Staffel 2 German 720p',
      'Show.S2024E01',
    ],
    ['movie', 'Alpine.Climb.2019.1080p.BluRay.x264', 'Old Film DVDRip XviD', 'Concert Film 2004 1080p FLAC'],
    ['anime', '[Sub] Carole & Tuesday - 01 [1080p]', '[Group] Name - 105v2 (720p).mkv', '  [G] Name - 12'],
    ['music', 'Artist - Album (1999) [FLAC]', 'Hits 320kbps', 'Film Soundtrack OST MP3'],
    ['book', 'Author - Novel (2010) EPUB', 'C# in a Nutshell PDF', 'Audiobook: Novel'],
    ['software', 'MyTool v1.2.3 x64 Portable', 'ubuntu-24.04-desktop-amd64.iso', 'Editor 3.14.2'],
    ['game', 'Big Game [FitGirl Repack]', 'Big.Game-CODEX', 'Racing PS4', 'Big Game S01 GOG'],
    [
      'other',
      'Alpine plants survey',
      'Genome 2020',
      '',
      '***',
      'Name [Group] - 1',
      'Notes [x] - 12 a',
      '[] Name - 12',
      's01extra',
      'Version 1.2',
    ],
  ]
  for (const [category, ...titles] of TITLES) {
    for (const title of titles) {
      it(`of ${JSON.stringify(title)} is ${category} where nobody says`, () => {
        assert.equal(categoryOf(title, []), category)
        assert.equal(categoryOf(title, ['hd', 'biology']), category)
      })
    }
  }

  it('is what the publisher says, in any of its names', () => {
    assert.equal(categoryOf('Dark.Harbor.S01E05', ['hd', 'Films', 'music']), 'movie')
    for (const category of CATEGORIES) assert.equal(categoryOf('Dark.Harbor.S01E05', [category.toUpperCase()]), category)
  })

  it('is asked for by category:, as is any tag; tag: asks for tags alone', () => {
    const torrent = { title: 'Dark.Harbor.S01E05', sizeBytes: 1, seeders: 1, tags: ['Science Fiction'] }
    const asks = (kind: 'category' | 'tag', tag: string) => passes(torrent, { kind, tag })
    assert.deepEqual([asks('category', 'tv'), asks('category', 'series'), asks('category', 'movie')], [true, true, false])
    assert.deepEqual(
      [asks('category', 'science fiction'), asks('tag', 'science fiction'), asks('tag', 'tv')],
      [true, true, false],
    )
    assert.equal(passes({ ...torrent, tags: ['film'] }, { kind: 'category', tag: 'tv' }), false)
  })
})
