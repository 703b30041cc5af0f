import assert from 'node:assert/strict'
import fc from 'fast-check'
import { bar, downloadLine, rebuildLine, stepLine } from '../../../src/cli/render/progress-bar.ts'
import { textWidth } from '../../../src/cli/render/text-width.ts'
import { anyText } from '../../control/any-text.ts'
import { torrentRow } from './rows.ts'

describe('progress lines', () => {
  const bars: [done: number, total: number, text: string][] = [
    [0, 10, '[..........]'],
    [5, 10, '[#####.....]'],
    [10, 10, '[##########]'],
    [9999, 10_000, '[#########.]'],
    [20, 10, '[##########]'],
    [0, 0, '[..........]'],
  ]
  for (const [done, total, text] of bars)
    it(`draws ${done} of ${total} as ${text}`, () => assert.equal(bar(done, total, 12), text))

  it('shows pieces, share, rate, peers and time left of a download', () => {
    const row = torrentRow({
      piecesVerified: 12,
      pieceCount: 48,
      downloadBytesPerSecond: 1_500_000,
      peers: 3,
      timeLeftMs: 65_000,
    })
    assert.equal(
      downloadLine(row, 120),
      'songs  [#######.....................]  12/48 pieces  25 %  1.5 MB/s  3 peers  1 min 5 s left',
    )
  })

  it('says what it does while the time left is unknown', () => {
    assert.match(downloadLine(torrentRow({ state: 'fetching-metadata', timeLeftMs: null }), 120), /fetching-metadata$/)
  })

  it('never is wider than the terminal, and never breaks the line', () => {
    fc.assert(
      fc.property(anyText, fc.nat(), fc.integer({ min: 20, max: 200 }), (name, pieces, columns) => {
        for (const line of [
          downloadLine(torrentRow({ name, piecesVerified: pieces, pieceCount: pieces * 2 }), columns),
          rebuildLine({ projection: name, done: pieces, total: pieces, eventsPerSecond: pieces, timeLeftMs: pieces }, columns),
          stepLine('verifying', pieces, pieces, columns),
        ]) {
          assert.ok(textWidth(line) <= columns, line)
          assert.doesNotMatch(line, /[\r\n\u001b]/)
        }
      }),
    )
  })
})
