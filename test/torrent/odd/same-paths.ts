import { file, multi, type Odd, torrent } from './odd-torrent.ts'

const latin = (text: string) => Buffer.from(text, 'latin1')
type Path = readonly (string | Uint8Array)[]

/** Paths of a torrent, and what their files are called below its folder. */
const SAME: readonly [string, readonly Path[], readonly string[], Odd['differs']?][] = [
  ['twice', [['a.mp4'], ['a.mp4']], ['a.mp4', 'a.1.mp4']],
  ['three times', [['a.mp4'], ['a.mp4'], ['a.mp4']], ['a.mp4', 'a.1.mp4', 'a.2.mp4']],
  ['without an extension', [['a'], ['a']], ['a', 'a.1']],
  ['with two extensions', [['a.tar.gz'], ['a.tar.gz']], ['a.tar.gz', 'a.tar.1.gz']],
  ['with a leading dot', [['.x'], ['.x']], ['.x', '.1.x']],
  ['with a trailing dot', [['x.'], ['x.']], ['x.', 'x.1.']],
  [
    'in a folder with a dot',
    [
      ['d.x', 'f'],
      ['d.x', 'f'],
    ],
    ['d.x/f', 'd.x/f.1'],
  ],
  ['where the numbered name follows', [['a.mp4'], ['a.mp4'], ['a.1.mp4']], ['a.mp4', 'a.1.mp4', 'a.1.1.mp4']],
  ['where the numbered name is before', [['a.1.mp4'], ['a.mp4'], ['a.mp4']], ['a.1.mp4', 'a.mp4', 'a.2.mp4']],
  ['a file named like a folder after it', [['a'], ['a', 'b']], ['a.1', 'a/b']],
  ['a file named like a folder before it', [['a', 'b'], ['a']], ['a/b', 'a.1']],
  [
    'a file named like a folder of a folder',
    [
      ['a', 'b', 'c'],
      ['a', 'b'],
    ],
    ['a/b/c', 'a/b.1'],
  ],
  ['a file whose number is a folder', [['a'], ['a'], ['a.1', 'x']], ['a', 'a.2', 'a.1/x']],
  ['by a slash that is dropped', [['x/y'], ['xy']], ['xy', 'xy.1']],
  ['by a dot that is dropped', [['.', 'x'], ['x']], ['x', 'x.1']],
  ['by a control character', [['a\u0001'], ['a\u0002']], ['a_', 'a_.1']],
  [
    'by bytes that are no UTF-8',
    [[latin('\xc0\xfd\xeb1.jpg')], [latin('\xc1\xfe\xec1.jpg')]],
    ['___1.jpg', '___1.1.jpg'],
    'byte-for-byte',
  ],
  ['by names that were shortened', [['x'.repeat(300)], [`${'x'.repeat(299)}y`]], ['x'.repeat(240), `${'x'.repeat(240)}.1`]],
  [
    'by empty parts',
    [
      ['', 'a'],
      ['', 'a'],
    ],
    ['_/a', '_/a.1'],
  ],
  ['by case alone', [['A.txt'], ['a.txt']], ['A.txt', 'a.txt'], 'case-kept'],
  [
    'by case of a folder',
    [
      ['D', 'x'],
      ['d', 'x'],
    ],
    ['D/x', 'd/x'],
    'case-kept',
  ],
  ['by normal form alone', [['\u00e9'], ['e\u0301']], ['\u00e9', 'e\u0301']],
  [
    'ten times',
    Array.from({ length: 10 }, () => ['t.nfo']),
    ['t.nfo', ...Array.from({ length: 9 }, (_, at) => `t.${at + 1}.nfo`)],
  ],
  ['with 255 bytes', [['y'.repeat(255)], ['y'.repeat(255)]], ['y'.repeat(255), `${'y'.repeat(253)}.1`], 'longer-names'],
]

export const samePaths: readonly Odd[] = [
  ...SAME.map(
    ([name, paths, on, differs]): Odd => ({
      name: `same path: ${name}`,
      file: torrent(multi(paths.map((path, at) => file(at + 1, ...path)))),
      expect: on.map((path, at): [string, number] => [`T/${path}`, at + 1]),
      ...(differs && { differs }),
    }),
  ),
  {
    name: 'same path: a thousand times',
    file: torrent(multi(Array.from({ length: 1_000 }, () => file(1, 'x')))),
    expect: Array.from({ length: 1_000 }, (_, at): [string, number] => [at === 0 ? 'T/x' : `T/x.${at}`, 1]),
  },
  {
    // 253 of their 255 bytes are alike, so that all of them want the same numbers: each of the 800 tries those of all before it.
    name: 'same path: 800 names twice that have one name with a number',
    file: torrent(
      multi(Array.from({ length: 1_600 }, (_, at) => file(1, `${'y'.repeat(253)}${(36 + (at >> 1)).toString(36).slice(-2)}`))),
    ),
    expect: 'same-paths',
  },
]
