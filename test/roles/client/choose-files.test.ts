import assert from 'node:assert/strict'
import type { FileSelection } from '../../../src/events/index.ts'
import { chooseFiles, FILE_PATTERNS_MAX } from '../../../src/roles/client/choose-files.ts'
import { ServiceError } from '../../../src/roles/index.ts'

const PATHS = ['show/s1/one.mkv', 'show/s1/two.mkv', '', 'show/s2/one.mkv', 'show/read me.txt']

describe('the choice of files', () => {
  const digits = (request: Parameters<typeof chooseFiles>[2], before: FileSelection | null = null) =>
    chooseFiles(before, PATHS, request)?.priorities

  it('goes by numbers from 1, runs, paths, names, folders and patterns', () => {
    for (const [files, expected] of [
      [['1'], '20000'],
      [['2-4'], '02220'],
      [['1', '4-5'], '20022'],
      [['show/s2/one.mkv'], '00020'],
      [['s2/one.mkv'], '00020'],
      [['one.mkv'], '20020'],
      [['s1'], '22000'],
      [['s1/'], '22000'],
      [['show/s2'], '00020'],
      [['*.txt'], '00002'],
      [['s1/*.mkv'], '22000'],
      [['**/*.{mkv,avi}'], '22020'],
    ] as const) {
      assert.equal(digits({ files: [...files], priority: 'normal', others: 'skip' }), expected, files.join(' '))
    }
  })

  it('changes only what it names', () => {
    const before: FileSelection = { priorities: '01231', others: 2, sequential: true }
    assert.deepEqual(chooseFiles(before, PATHS, { files: ['1'], priority: 'high' }), { ...before, priorities: '31231' })
    assert.deepEqual(chooseFiles(before, PATHS, { sequential: false }), { ...before, sequential: false })
    assert.deepEqual(chooseFiles(before, PATHS, { priority: 'low' }), { ...before, priorities: '11111' })
    assert.deepEqual(chooseFiles(before, PATHS, { files: ['2'], priority: 'low', others: 'skip' }), {
      ...before,
      priorities: '01000',
    })
  })

  it('is none where all are wanted alike', () => {
    assert.equal(chooseFiles({ priorities: '0', others: 2, sequential: false }, PATHS, { priority: 'normal' }), null)
    assert.equal(chooseFiles(null, PATHS, {}), null)
    assert.equal(chooseFiles(null, undefined, {}), null)
    assert.deepEqual(chooseFiles(null, PATHS, { sequential: true }), { priorities: '22222', others: 2, sequential: true })
  })

  it('goes by numbers alone while the files are not known', () => {
    const choose = (request: Parameters<typeof chooseFiles>[2], before: FileSelection | null = null) =>
      chooseFiles(before, undefined, request)
    assert.deepEqual(choose({ files: ['3'], priority: 'normal', others: 'skip' }), {
      ...{ priorities: '002', others: 0, sequential: false },
    })
    assert.deepEqual(choose({ files: ['2'], priority: 'skip' }), { priorities: '20', others: 2, sequential: false })
    assert.deepEqual(choose({ priority: 'skip' }), { priorities: '', others: 0, sequential: false })
    assert.throws(() => choose({ files: ['*.mkv'], priority: 'normal' }), /is not known yet/)
    assert.equal(choose({ files: ['65536'], priority: 'skip' })?.priorities.length, 65_536)
    assert.throws(() => choose({ files: ['65537'], priority: 'skip' }), /no file "65537"/)
  })

  it('is refused where it names nothing, with what can be named', () => {
    for (const [files, says] of [
      [['0'], /no file "0": the torrent has 5 files/],
      [['6'], /no file "6"/],
      [['4-6'], /no file "4-6"/],
      [['3-2'], /no file "3-2"/],
      [['*.avi'], /no file of the torrent is named "\*\.avi"/],
      [['s3'], /no file of the torrent is named "s3"/],
      [['a'.repeat(4_096)], /no file of the torrent is named/],
      [['a'.repeat(4_097)], /4097 characters is longer than any path/],
      [Array(FILE_PATTERNS_MAX + 1).fill('1'), /at most 1024/],
    ] as const) {
      assert.throws(
        () => digits({ files: [...files], priority: 'normal' }),
        (error) => error instanceof ServiceError && error.code === 'usage' && says.test(error.message),
      )
    }
    assert.equal(digits({ files: Array(FILE_PATTERNS_MAX).fill('1'), priority: 'skip' }), '02222')
    for (const priority of ['urgent', 'constructor', '']) {
      assert.throws(() => digits({ priority: priority as 'high' }), /a priority is skip, low, normal, high/)
      assert.throws(() => digits({ others: priority as 'high' }), /a priority is/)
    }
  })
})
