/** The start of the keystream tells of the key (Fluhrer, Mantin, Shamir 2001); MSE throws this much away. */
const DISCARDED_BYTES = 1024
const STATES = 256

/**
 * RC4 without the first 1,024 bytes of its keystream. One direction of one connection: each byte moves the state on, so
 * bytes go through it once, in their order. Encrypting and decrypting are the same.
 * Source: MSE specification; RFC 6229 for the test vectors.
 */
export class Rc4 {
  // Bytes, not 32-bit integers: half the time, as the engine need not prove that an index stays below 256.
  readonly #state = new Uint8Array(STATES)
  #i = 0
  #j = 0

  /** @param key 1 to 256 bytes */
  constructor(key: Uint8Array) {
    const state = this.#state
    for (let index = 0; index < STATES; index++) state[index] = index
    for (let i = 0, j = 0; i < STATES; i++) {
      const held = state[i] as number
      j = (j + held + (key[i % key.length] as number)) & 255
      state[i] = state[j] as number
      state[j] = held
    }
    this.apply(new Uint8Array(DISCARDED_BYTES))
  }

  /** Encrypts or decrypts in place. @returns the same bytes */
  apply(bytes: Uint8Array): Uint8Array {
    const state = this.#state
    let i = this.#i
    let j = this.#j
    for (let index = 0; index < bytes.length; index++) {
      i = (i + 1) & 255
      const a = state[i] as number
      j = (j + a) & 255
      const b = state[j] as number
      state[i] = b
      state[j] = a
      bytes[index] = (bytes[index] as number) ^ (state[(a + b) & 255] as number)
    }
    this.#i = i
    this.#j = j
    return bytes
  }
}
