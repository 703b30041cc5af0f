/** Bytes of a public key and of a secret: 768 bits, big-endian, zeros in front where the number is shorter. */
export const DH_KEY_BYTES = 96

/** The port of the Diffie-Hellman exchange in MSE's group. Adapter: dh.system.ts. */
export type DhKeys = {
  /** A fresh pair, for one handshake. */
  make(): DhPair
}

export type DhPair = {
  /** 96 bytes. */
  publicKey: Uint8Array
  /**
   * @param theirs 96 bytes from a peer, anything
   * @returns 96 bytes; undefined where `theirs` is no public key: 0, 1, the prime less one and all above make a secret
   * that everyone knows. Never throws.
   */
  secretWith(theirs: Uint8Array): Uint8Array | undefined
}
