import assert from 'node:assert/strict'
import type { NodeId } from '../../src/events/index.ts'
import { MESSAGE_BYTES_MAX, OPEN_DOOR } from '../../src/network/transport.ts'

describe('transport', () => {
  it('carries messages of 64 KiB', () => {
    assert.equal(MESSAGE_BYTES_MAX, 65_536)
  })

  it('has an open door, which shows nothing, and refuses nobody, whatever is shown', () => {
    assert.equal(OPEN_DOOR.credential.length, 0)
    for (const credential of [new Uint8Array(), new Uint8Array(2_000)])
      assert.equal(OPEN_DOOR.refusal('1'.repeat(64) as NodeId, credential), undefined)
    assert.deepEqual(
      [OPEN_DOOR.isMember, OPEN_DOOR.partyOf],
      [undefined, undefined],
      'everybody is a member, and answers for itself',
    )
  })
})
