import assert from 'node:assert/strict'
import { limitsText, ratesText } from '../../../src/cli/render/limits.ts'
import { NO_SETTINGS } from '../../../src/projections/downloads/downloads.ts'

const none = { downloadBytesPerSecond: 0, uploadBytesPerSecond: 0 }

describe('limits of a client', () => {
  it('are told in its status where there are any', () => {
    assert.equal(ratesText({ settings: NO_SETTINGS, now: none }), '')
    const settings = { ...NO_SETTINGS, remoteUploadBytesPerSecond: 1_000_000 }
    assert.equal(ratesText({ settings, now: none }), 'other peers  down no limit, up 1.0 MB/s\n\n')
    const now = { downloadBytesPerSecond: 5_000_000, uploadBytesPerSecond: 0 }
    assert.match(ratesText({ settings, now }), /^limits +down 5\.0 MB\/s, up no limit\nother peers /)
  })

  it('name classes of peers that have rates of their own', () => {
    assert.doesNotMatch(limitsText({ settings: NO_SETTINGS, now: none }), /peers/)
    const settings = { ...NO_SETTINGS, localDownloadBytesPerSecond: 2_000_000 }
    assert.match(limitsText({ settings, now: none }), /\nlocal peers +down 2\.0 MB\/s, up no limit\nconnections/)
  })
})
