import { fromHex } from '../../events/index.ts'
import type { Sha1 } from '../metainfo.ts'
import { Rc4 } from './rc4.ts'

// What both sides derive from the shared secret S and the stream key SKEY, which for BitTorrent is the info hash.

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))
const REQ1 = ascii('req1')
const REQ2 = ascii('req2')
const REQ3 = ascii('req3')
const KEY_A = ascii('keyA')
const KEY_B = ascii('keyB')

export const HASH_BYTES = 20

const hash = (sha1: Sha1, ...chunks: readonly Uint8Array[]): Uint8Array => fromHex(sha1(chunks))

/** What an acceptor keeps of each of its torrents, to find the one a stranger asks for: HASH('req2', SKEY), 20 bytes. */
export const hashOfSkey = (sha1: Sha1, infoHash: Uint8Array): Uint8Array => hash(sha1, REQ2, infoHash)

/** Ends pad A: HASH('req1', S), 20 bytes. */
export const endOfPadA = (sha1: Sha1, secret: Uint8Array): Uint8Array => hash(sha1, REQ1, secret)

/** Names the torrent, or takes the name off again: `bytes` xor HASH('req3', S), 20 bytes each. */
export const masked = (sha1: Sha1, secret: Uint8Array, bytes: Uint8Array): Uint8Array =>
  hash(sha1, REQ3, secret).map((byte, index) => byte ^ (bytes[index] ?? 0))

/** The ciphers of the two directions. */
export const ciphersOf = (
  sha1: Sha1,
  secret: Uint8Array,
  infoHash: Uint8Array,
): { fromInitiator: Rc4; fromResponder: Rc4 } => ({
  fromInitiator: new Rc4(hash(sha1, KEY_A, secret, infoHash)),
  fromResponder: new Rc4(hash(sha1, KEY_B, secret, infoHash)),
})
