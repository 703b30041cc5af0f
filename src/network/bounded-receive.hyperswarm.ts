import type { SecretStream } from 'hyperdht'

/** What waits for a reader; a reader asks for 8 MiB at most before it has read them. */
const WAITING_BYTES_MAX = 16 << 20
/** Bytes of one frame that have come without completing it: peers write blocks of 16 KiB. */
const PARTIAL_BYTES_MAX = 256 << 10

/**
 * Ends a stream whose peer sends more than is read. UDX does not hold a sender back: paused, it goes on receiving where
 * nobody counts. So it is never paused, and what piles up above it is counted as each datagram comes.
 */
export function boundReceived(stream: SecretStream): void {
  const raw = stream.rawStream
  if (raw === null) return
  raw.pause = () => raw
  let bytesRead = stream.rawBytesRead
  let partialBytes = 0
  raw.on('data', (chunk: Uint8Array) => {
    if (stream.rawBytesRead !== bytesRead) {
      bytesRead = stream.rawBytesRead
      partialBytes = 0
    }
    partialBytes += chunk.byteLength
    if (partialBytes > PARTIAL_BYTES_MAX || stream._readableState.buffered > WAITING_BYTES_MAX) stream.destroy()
  })
}
