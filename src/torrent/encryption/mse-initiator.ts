import type { Sha1 } from '../metainfo.ts'
import type { ArrivedBytes } from './arrived-bytes.ts'
import { DH_KEY_BYTES, type DhKeys, type DhPair } from './dh-keys.ts'
import {
  bitsOf,
  failed,
  HEAD_BYTES,
  head,
  INITIAL_PAYLOAD_BYTES_MAX,
  joined,
  type MseMethods,
  type MseStep,
  methodOf,
  noisePad,
  PAD_BYTES_MAX,
  type RandomBytes,
  readHead,
  VC_BYTES,
} from './mse-handshake.ts'
import { MseConversation, type Script, skipPadUntil, take } from './mse-script.ts'
import { ciphersOf, endOfPadA, HASH_BYTES, hashOfSkey, masked } from './mse-secrets.ts'

export type MseInitiatorOptions = {
  /** The stream key SKEY, 20 bytes: who does not know it cannot answer. */
  infoHash: Uint8Array
  offer: MseMethods
  /**
   * Goes with step 3 and saves a round trip: the 68 bytes of the BitTorrent handshake, or nothing. Up to 65,535 bytes by
   * the specification, but libtorrent hangs up on more than 68.
   */
  initialPayload: Uint8Array
  keys: DhKeys
  randomBytes: RandomBytes
  sha1: Sha1
}

/**
 * The side that dials. `start()` once, then `receive` each piece that comes, until it says done or failed. It holds at most
 * what the pads allow (some 600 bytes), never throws on what comes, and has no clock: the caller hangs up on who is slow.
 *
 * One dial in 256 to an honest peer fails, and is worth a second one with fresh keys: libtorrent before June 2026 hashes a
 * secret that starts with a zero byte wrongly when it answers (its pull request 8434), finds no torrent and hangs up.
 */
export class MseInitiator {
  readonly #options: MseInitiatorOptions
  readonly #pair: DhPair
  readonly #conversation: MseConversation

  /** @throws RangeError if the info hash or the initial payload is of a wrong length */
  constructor(options: MseInitiatorOptions) {
    if (options.infoHash.length !== HASH_BYTES) throw new RangeError('an info hash has 20 bytes')
    if (options.initialPayload.length > INITIAL_PAYLOAD_BYTES_MAX) throw new RangeError('the initial payload is too long')
    this.#options = options
    this.#pair = options.keys.make()
    this.#conversation = new MseConversation((arrived) => initiate(arrived, this.#options, this.#pair))
  }

  /** What opens the connection: our key and a pad. */
  start(): Uint8Array {
    return joined(this.#pair.publicKey, noisePad(this.#options.randomBytes))
  }

  receive(bytes: Uint8Array): MseStep {
    return this.#conversation.receive(bytes)
  }
}

function* initiate(arrived: ArrivedBytes, options: MseInitiatorOptions, pair: DhPair): Script<MseStep> {
  const { infoHash, sha1, randomBytes, initialPayload } = options
  const offered = bitsOf(options.offer)

  const secret = pair.secretWith(yield* take(arrived, DH_KEY_BYTES))
  if (secret === undefined) return failed('the public key is not one of the group')
  const { fromInitiator: encrypt, fromResponder: decrypt } = ciphersOf(sha1, secret, infoHash)

  const payloadBytes = new Uint8Array(2)
  new DataView(payloadBytes.buffer).setUint16(0, initialPayload.length)
  yield joined(
    endOfPadA(sha1, secret),
    masked(sha1, secret, hashOfSkey(sha1, infoHash)),
    encrypt.apply(joined(head(offered, randomBytes), payloadBytes, initialPayload)),
  )

  // Zeros encrypted are the keystream itself: these eight bytes end pad B, and taking them moves the cipher behind VC.
  const verification = decrypt.apply(new Uint8Array(VC_BYTES))
  if (!(yield* skipPadUntil(arrived, verification))) {
    return failed('no verification constant within 512 bytes of the key: not MSE, or another info hash')
  }
  const rest = decrypt.apply(yield* take(arrived, HEAD_BYTES - VC_BYTES))
  const { bits: selected, padBytes } = readHead(joined(new Uint8Array(VC_BYTES), rest))
  const method = methodOf(selected)
  if (method === undefined || selected !== bitsOf(method)) return failed(`selected no single method: ${selected}`)
  if ((selected & offered) === 0) return failed(`selected ${method}, which was not offered`)
  if (padBytes > PAD_BYTES_MAX) return failed(`pad D has ${padBytes} bytes, at most 512 are allowed`)
  decrypt.apply(yield* take(arrived, padBytes))

  const incoming = arrived.take(arrived.length)
  if (method === 'plaintext') return { state: 'done', infoHash, method, incoming }
  return { state: 'done', infoHash, method, incoming: decrypt.apply(incoming), decrypt, encrypt }
}
