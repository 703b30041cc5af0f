import assert from 'node:assert/strict'
import fc from 'fast-check'
import { printable } from '../../../src/cli/render/printable.ts'
import { anyText } from '../../control/any-text.ts'

describe('printable text', () => {
  const cases: [what: string, given: string, shown: string][] = [
    ['plain text as it is', 'Songs of the sea (2026) [FLAC]', 'Songs of the sea (2026) [FLAC]'],
    ['letters of every script', 'Ünïcödé 日本語 עברית العربية 🎵', 'Ünïcödé 日本語 עברית العربية 🎵'],
    ['a colour taken away', 'a\u001b[31;1mred\u001b[0m', 'ared'],
    ['a cleared screen taken away', '\u001b[2J\u001b[Hhello', 'hello'],
    ['a window title taken away', '\u001b]0;owned\u0007hello', 'hello'],
    ['a link taken away, its text kept', '\u001b]8;;http://x\u001b\\text\u001b]8;;\u001b\\', 'text'],
    ['an unfinished string control', '\u001b]0;owned and more', ''],
    ['one-byte controls of the C1 range', '\u009b31mred\u0085line', 'red line'],
    ['a device control string', '\u001bP1$r0m\u001b\\x', 'x'],
    ['a full reset', '\u001bcx', 'x'],
    ['a lone escape at the end', 'x\u001b', 'x'],
    ['line ends as a gap', 'one\r\ntwo\tthree\u2028four', 'one two three four'],
    ['bells, backspaces and nulls', 'a\u0007b\bc\u0000d\u007f', 'abcd'],
    ['a right-to-left override', 'gpj.\u202eexe.txt', 'gpj.exe.txt'],
    ['isolates and zero width characters', 'a\u2066b\u2069c\u200bd\ufeff', 'abcd'],
    ['half a surrogate pair', 'a\ud800b', 'a\ufffdb'],
  ]
  for (const [what, given, shown] of cases) it(`shows ${what}`, () => assert.equal(printable(given), shown))

  it('leaves no control or format character that moves anything, whatever comes', () => {
    const nasty = fc.constantFrom('\u001b', '[', ']', '\u009b', '\u0007', '\\', '3', 'm', '\u202e', '\n', 'P', ' ', '\u200d')
    fc.assert(
      fc.property(fc.oneof(anyText, fc.string({ unit: nasty })), (text) => {
        const shown = printable(text)
        assert.doesNotMatch(shown, /[\p{Cc}\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/u)
        assert.equal(printable(shown), shown)
      }),
    )
  })
})
