import assert from 'node:assert/strict'
import { bulkLine, bulkText, failureText, leftOutTexts, Pace, stoppedText } from '../../../src/cli/render/bulk.ts'

describe('many publications', () => {
  it('have a rate, which is that of the last ten seconds', () => {
    let now = 0
    const pace = new Pace(() => now)
    assert.equal(pace.after(0), 0)
    now = 1_000
    assert.equal(pace.after(5_000), 5_000)
    const rates = []
    for (let at = 1; at <= 12; at++) {
      now += 1_000
      rates.push(pace.after(5_000 + at * 100))
    }
    assert.equal(rates.at(-1), 100)
  })

  it('are one line, with the time that is left where it is known how many there are', () => {
    assert.equal(
      bulkLine({ done: 1_000, bytes: 4_000_000 }, 4_900, 650, 120),
      'publishing  [####................]  1,000/4,900  650/s  6 s left  4.0 MB hashed',
    )
    assert.equal(bulkLine({ done: 3, bytes: 0 }, null, 0.25, 120), 'publishing  3  0.3/s  0 B hashed')
    assert.equal(bulkLine({ done: 0, bytes: 0 }, 5, 0, 120), 'publishing  [....................]  0/5  0.0/s  0 B hashed')
    assert.equal(bulkLine({ done: 0, bytes: 0 }, 5, 0, 20).length, 20)
  })

  it('say what failed, printable, and by its line', () => {
    const failed = { outcome: 'failed', reason: 'gone\u0007' } as const
    assert.equal(failureText({ line: 3, path: null, ...failed }), 'line 3: gone')
    assert.match(failureText({ path: '/a\u001b', ...failed }), /^\/a.*: gone/)
    assert.doesNotMatch(failureText({ path: '/a\u001b', ...failed }), /\u001b/)
  })

  it('have a summary', () => {
    assert.equal(bulkText({ published: 1, acknowledged: 1, refused: 0, unchanged: 0, failed: 0 }), 'published 1 torrent')
    assert.equal(
      bulkText({ published: 1_200, acknowledged: 1_000, refused: 50, unchanged: 7, failed: 3 }),
      'published 1,200 torrents, of which 150 wait for index nodes and are told in the background\n' +
        'not taken by index nodes: 50; `p2pt client status` says why\n' +
        'passed over 7 that are published and unchanged\nfailed: 3',
    )
    assert.match(
      stoppedText({ published: 5, acknowledged: 5, refused: 0, unchanged: 2, failed: 1 }),
      /^stopped: 5 published, 2 unchanged, 1 failed\. The same command goes on/,
    )
    assert.deepEqual(leftOutTexts({ hidden: 1, links: 2, special: 0 }), [
      'left out 1 hidden entry (--hidden takes them)',
      'left out 2 symbolic links',
    ])
  })
})
