import type { Sha1 } from '../metainfo.ts'
import type { ArrivedBytes } from './arrived-bytes.ts'
import { DH_KEY_BYTES, type DhKeys } from './dh-keys.ts'
import {
  bitsOf,
  failed,
  HEAD_BYTES,
  head,
  joined,
  type MseMethods,
  type MseStep,
  methodOf,
  noisePad,
  PAD_BYTES_MAX,
  type RandomBytes,
  readHead,
} from './mse-handshake.ts'
import { MseConversation, type Script, skipPadUntil, take } from './mse-script.ts'
import { ciphersOf, endOfPadA, HASH_BYTES, masked } from './mse-secrets.ts'

export type MseResponderOptions = {
  /** Our torrent of this HASH('req2', SKEY), 20 bytes (see `hashOfSkey`); undefined if it is none of ours. */
  infoHashOf(hashOfSkey: Uint8Array): Uint8Array | undefined
  /** Plaintext is preferred where both are offered and both accepted: it costs nothing. */
  accept: MseMethods
  keys: DhKeys
  randomBytes: RandomBytes
  sha1: Sha1
}

/**
 * The side that was dialled, once `sniff` has said encrypted: `receive` everything from the first byte on, until it says
 * done or failed. A stranger can make it hold some 600 bytes; who knows an info hash of ours, 65,535 more. It never throws
 * on what comes, and has no clock: the caller hangs up on who is slow.
 */
export class MseResponder {
  readonly #conversation: MseConversation

  constructor(options: MseResponderOptions) {
    this.#conversation = new MseConversation((arrived) => respond(arrived, options))
  }

  receive(bytes: Uint8Array): MseStep {
    return this.#conversation.receive(bytes)
  }
}

function* respond(arrived: ArrivedBytes, options: MseResponderOptions): Script<MseStep> {
  const { sha1, randomBytes } = options

  const theirs = yield* take(arrived, DH_KEY_BYTES)
  // Only now: a port scanner that sends a few bytes costs no exponentiation.
  const pair = options.keys.make()
  const secret = pair.secretWith(theirs)
  if (secret === undefined) return failed('the public key is not one of the group')
  yield joined(pair.publicKey, noisePad(randomBytes))

  if (!(yield* skipPadUntil(arrived, endOfPadA(sha1, secret)))) return failed("no HASH('req1', S) within 512 bytes of the key")
  const infoHash = options.infoHashOf(masked(sha1, secret, yield* take(arrived, HASH_BYTES)))
  if (infoHash === undefined) return failed('none of our torrents has this info hash')
  const { fromInitiator: decrypt, fromResponder: encrypt } = ciphersOf(sha1, secret, infoHash)

  const { isVerified, bits: offered, padBytes } = readHead(decrypt.apply(yield* take(arrived, HEAD_BYTES)))
  if (!isVerified) return failed('the verification constant is wrong')
  if (padBytes > PAD_BYTES_MAX) return failed(`pad C has ${padBytes} bytes, at most 512 are allowed`)
  // Bits that have no meaning yet are not looked at: a later client may offer more.
  const method = methodOf(offered & bitsOf(options.accept))
  if (method === undefined) return failed(`no method in common: offered ${offered}, accepted ${bitsOf(options.accept)}`)
  decrypt.apply(yield* take(arrived, padBytes))
  const [high = 0, low = 0] = decrypt.apply(yield* take(arrived, 2))
  // RC4 in any case: the initiator sent it before it could know the method.
  const initialPayload = decrypt.apply(yield* take(arrived, (high << 8) | low))

  const send = encrypt.apply(head(bitsOf(method), randomBytes))
  const rest = arrived.take(arrived.length)
  if (method === 'plaintext') return { state: 'done', send, infoHash, method, incoming: joined(initialPayload, rest) }
  const incoming = joined(initialPayload, decrypt.apply(rest))
  return { state: 'done', send, infoHash, method, incoming, decrypt, encrypt }
}
