import { PayloadError } from '../src/events/payload.ts'
import type { UpcastStep } from '../src/events/upcasting.ts'
import { Cursor, writeVarint } from '../src/events/varint.ts'

// `download.added` 1 -> 2: gains `title` (field 7), the title it was found under or published with. Until version 1
// that was read from the magnet's display name whenever it was needed. Everything else stays byte for byte.

const NAME = 2
const MAGNET = 5
const TITLE = 7
const LENGTH_DELIMITED = 2

export const downloadAddedTitle: UpcastStep = {
  kind: 'download.added',
  from: 1,
  up(payload) {
    const { name, magnet } = fieldsOf(payload)
    const title = new TextEncoder().encode(displayName(magnet) || name)
    // The title's length takes at most five bytes, its tag one.
    const grown = new Uint8Array(payload.length + title.length + 6)
    grown.set(payload)
    let at = writeVarint(grown, payload.length, TITLE * 8 + LENGTH_DELIMITED)
    at = writeVarint(grown, at, title.length)
    grown.set(title, at)
    return grown.subarray(0, at + title.length)
  },
}

/** Version 1 has fields of bytes alone (wire type 2), whichever. */
function fieldsOf(payload: Uint8Array): { name: string; magnet: string } {
  const found = { name: '', magnet: '' }
  const cursor = new Cursor(payload)
  while (cursor.at < cursor.end) {
    const tag = cursor.varint()
    if (tag % 8 !== LENGTH_DELIMITED) throw new PayloadError('not a download.added message of version 1')
    const length = cursor.varint()
    const start = cursor.skip(length)
    const text = () => new TextDecoder().decode(payload.subarray(start, start + length))
    if (tag >> 3 === NAME) found.name = text()
    if (tag >> 3 === MAGNET) found.magnet = text()
  }
  return found
}

/** `dn` of a magnet link (BEP 9), empty where it has none. */
function displayName(magnet: string): string {
  const query = magnet.indexOf('?')
  return new URLSearchParams(query < 0 ? '' : magnet.slice(query + 1)).get('dn') ?? ''
}
