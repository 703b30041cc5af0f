import type { Draw } from './draw.ts'

// The opening of an encrypted handshake (MSE) as a hostile peer makes it: keys that are none, pads without an end, noise. A
// conversation that goes right up to its last step and is mangled behind it is made with the project's own initiator.

const KEY_BYTES = 96
const PAD_BYTES_MAX = 512

/** What opens a connection, or answers an opening. */
export function mangledMseOpening(draw: Draw): Uint8Array {
  const key = draw.of([
    () => draw.bytes(KEY_BYTES),
    // Of a group of one or two: who takes them has a secret that everybody knows.
    () => new Uint8Array(KEY_BYTES),
    () => Uint8Array.from({ length: KEY_BYTES }, (_, at) => (at === KEY_BYTES - 1 ? 1 : 0)),
    () => new Uint8Array(KEY_BYTES).fill(255),
    () => draw.bytes(draw.below(KEY_BYTES)),
  ])()
  const pad = draw.bytes(draw.of([0, 1, PAD_BYTES_MAX, PAD_BYTES_MAX + 1, draw.below(2_000)]))
  return Buffer.concat([key, pad])
}
