import { type ConversationState, rule } from '../src/torrent/message-bounds.ts'
import { PieceClaims } from '../src/torrent/piece-claims.ts'
import type { MangledTorrent } from '../test/torrent/mangled/mangled-messages.ts'

const PREFIX_BYTES = 4
const EXTENDED = 20
const IDENTITY = 3
const OUR_NAMES = new Map([
  [1, 'ut_metadata'],
  [2, 'lt_donthave'],
  [3, 'p2pt_id'],
  [4, 'ut_pex'],
])

/**
 * How many of these messages a client reads: up to the first that breaks the rules and ends the connection. What a peer
 * says behind it nobody looks at, and it would be no test.
 */
export function countRead(messages: readonly Uint8Array[], { pieceCount, pieceBytes }: MangledTorrent): number {
  const state: ConversationState = {
    ...{ pieceCount, pieceBytes: () => pieceBytes, claims: new PieceClaims(), extendedHandshakes: 0 },
    ...{ ourMetadataBytes: undefined, theirMetadataBytes: undefined, extensionName: (id) => OUR_NAMES.get(id) },
  }
  for (const [at, message] of messages.entries()) {
    const said = new DataView(message.buffer, message.byteOffset).getUint32(0)
    // A prefix that lies takes what follows for its own.
    if (said !== message.length - PREFIX_BYTES) return at + 1
    if (said === 0) continue
    // A proof of an identity that it does not have.
    if (message[4] === EXTENDED && message[5] === IDENTITY) return at + 1
    const ruling = rule(message.subarray(PREFIX_BYTES), state)
    if (typeof ruling === 'object' && 'violation' in ruling) return at + 1
  }
  return messages.length
}
