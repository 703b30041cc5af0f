import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { mirrorTests } from './mirror-tests.ts'
import { sample } from './sample.ts'
import { failures, type Result, report, share } from './score.ts'
import { SUBTLE_MUTANTS } from './subtle/index.ts'
import { lineOf, mutated } from './subtle/mutant.ts'
import { testsFor } from './subtle-run.ts'
import { isWithin, targets } from './targets.ts'

const ROOT = resolve(import.meta.dirname, '../..')

const result = (fate: Result['fate'], by: Result['by'] = 'subtle'): Result => ({
  by,
  file: 'src/events/model/hex.ts',
  line: 3,
  breaks: 'x',
  fate,
})

describe('the mutants', () => {
  it('that are checked in stand in their files exactly once, change them, and have tests', () => {
    for (const mutant of SUBTLE_MUTANTS) {
      const source = readFileSync(join(ROOT, mutant.file), 'utf8')
      const text = mutated(source, mutant)
      ok(text !== undefined, `stale: ${mutant.file}: ${mutant.find}`)
      notEqual(text, source, `changes nothing: ${mutant.file}: ${mutant.find}`)
      ok(testsFor(ROOT, mutant).length > 0)
    }
  })

  it('differ from each other', () => {
    const names = SUBTLE_MUTANTS.map(({ file, find, replace }) => `${file}\n${find}\n${replace}`)
    equal(new Set(names).size, names.length)
  })

  it('are stale where their text is not there, is there twice, or is empty', () => {
    equal(mutated('a b', { find: 'c', replace: 'd' }), undefined)
    equal(mutated('a b a', { find: 'a', replace: 'd' }), undefined)
    equal(mutated('aaa', { find: 'aa', replace: 'd' }), undefined)
    equal(mutated('a', { find: '', replace: 'd' }), undefined)
  })

  it('replace their text as it stands, also where it looks like a pattern', () => {
    equal(mutated('x $& y', { find: '$&', replace: '$1' }), 'x $1 y')
    equal(lineOf('a\nb\nc', { find: 'c' }), 3)
    equal(lineOf('a', { find: 'c' }), 0)
  })

  it('fail a run where fewer than 80 % of the subtle ones die, or 85 % of those of Stryker', () => {
    const of = (killed: number, by: Result['by']) => [
      ...Array.from({ length: killed }, () => result('killed', by)),
      ...Array.from({ length: 100 - killed }, () => result('survived', by)),
    ]
    deepEqual(failures([...of(80, 'subtle'), ...of(85, 'stryker')]), [])
    deepEqual(failures(of(79, 'subtle')), ['subtle: 79.0 % killed, 80 % wanted'])
    deepEqual(failures(of(84, 'stryker')), ['stryker: 84.0 % killed, 85 % wanted'])
  })

  it('fail a run where one is stale, however many die', () => {
    equal(failures([...Array.from({ length: 99 }, () => result('killed')), result('stale')]).length, 1)
  })

  it('are killed by types and by time too', () => {
    equal(share([result('types'), result('time'), result('killed'), result('survived')]), 0.75)
    equal(share([]), 1)
  })

  it('are told by folder, with those that live', () => {
    const text = report([result('killed'), { ...result('survived'), lives: 'only slower' }])
    match(text, /\| src\/events\/model \| 2 \| 1 \| 1 \|/)
    match(text, /- src\/events\/model\/hex\.ts:3 x \(may live: only slower\)/)
  })
})

describe('the files to mutate', () => {
  it('are those of a path, without generated ones, types and lists of exports', () => {
    deepEqual(targets(ROOT, ['src/events/model/hex.ts']), ['src/events/model/hex.ts'])
    const all = targets(ROOT, ['src/events'])
    ok(all.includes('src/events/segments/segment-store.level.ts'))
    ok(!all.some((file) => /generated|\.d\.ts$|\/index\.ts$/.test(file)))
  })

  it('are by default all of events, network and projections, and of torrent and roles what is pure', () => {
    const all = targets(ROOT, [])
    ok(all.includes('src/events/files/room.fs.ts'))
    ok(all.includes('src/torrent/bencode.ts'))
    ok(!all.includes('src/torrent/piece-store.fs.ts'))
    ok(!all.some((file) => file.startsWith('src/cli/')))
  })

  it('are within a folder only by whole names', () => {
    ok(isWithin('src/events/a.ts', 'src/events'))
    ok(!isWithin('src/events-more/a.ts', 'src/events'))
  })

  it('have the test file that mirrors them, with those of longer names that belong to no other', () => {
    // There is hex-names.ts too.
    deepEqual(mirrorTests(ROOT, 'src/events/model/hex.ts'), ['test/events/model/hex.test.ts'])
    deepEqual(mirrorTests(ROOT, 'src/events/codec/payload.ts'), [
      'test/events/codec/payload.test.ts',
      'test/events/codec/payload-bounds.test.ts',
    ])
    deepEqual(mirrorTests(ROOT, 'src/events/files/replace-file.fs.ts'), ['test/events/files/replace-file.test.ts'])
  })

  it('have, without one, those that lead to them by the fewest imports, of the same folders first', () => {
    ok(mirrorTests(ROOT, 'src/events/leveldb/log-database.level.ts').includes('test/events/log/event-log.level.test.ts'))
    // Through the door of its folder.
    const ofText = mirrorTests(ROOT, 'src/projections/keyword-index/text/episodes.ts')
    ok(ofText.length > 0 && ofText.every((test) => test.startsWith('test/projections/keyword-index/')), ofText.join(' '))
    // Of what everything imports.
    equal(mirrorTests(ROOT, 'src/events/model/event.ts').length, 12)
    deepEqual(mirrorTests(ROOT, 'src/events/model/no-such-file.ts'), [])
  })
})

describe('a sample', () => {
  const items = Array.from({ length: 50 }, (_, index) => index)

  it('is the same for the same seed and another for another', () => {
    deepEqual(sample(items, 10, 7), sample(items, 10, 7))
    notEqual(String(sample(items, 10, 7)), String(sample(items, 10, 8)))
  })

  it('has so many different items in their order, and all where there are fewer', () => {
    const drawn = sample(items, 10, 3)
    equal(new Set(drawn).size, 10)
    deepEqual(
      drawn,
      drawn.toSorted((a, b) => a - b),
    )
    deepEqual(sample(items, 100, 3), items)
  })
})
