import assert from 'node:assert/strict'
import { looksOf, stampOf, wasTouched } from '../../src/torrent/file-stamp.ts'

const stats = { size: 5n, mtimeNs: 1_700_000_000_123_456_789n, ino: 77n, ctimeNs: 9n }
const stamp = stampOf(stats)

describe('the stamp of a file', () => {
  it('has its size, the time of its bytes, its inode and the time of anything about it', () => {
    assert.equal(stamp, '5-1700000000123456789-77-9')
    assert.equal(looksOf(stamp), '5-1700000000123456789-77')
    assert.equal(looksOf('5-1-77'), '5-1-77')
  })

  it('tells that something was changed, but of an early version nothing', () => {
    assert.equal(wasTouched(stamp, stamp), false)
    assert.equal(wasTouched(stamp, stampOf({ ...stats, ctimeNs: 10n })), true)
    assert.equal(wasTouched(looksOf(stamp), stamp), false)
    assert.equal(wasTouched(stamp, looksOf(stamp)), true)
  })
})
