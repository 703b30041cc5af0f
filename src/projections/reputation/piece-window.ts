/** The last own pieces of a peer, good (0) or bad (1): a ring, so that an old sin is forgotten by new work, not by time. */
export type PieceWindow = { ring: Uint8Array; next: number; size: number; bad: number }

export const newWindow = (pieces: number): PieceWindow => ({ ring: new Uint8Array(pieces), next: 0, size: 0, bad: 0 })

/** Adds `count` pieces of one kind, forgetting the oldest where there is no room. */
export function pushPieces(window: PieceWindow, count: number, bad: boolean): void {
  const { ring } = window
  const value = bad ? 1 : 0
  // More than the window holds leaves nothing of what was before.
  for (let left = Math.min(count, ring.length); left > 0; left--) {
    window.bad += value - (window.size === ring.length ? (ring[window.next] as number) : 0)
    ring[window.next] = value
    window.next = (window.next + 1) % ring.length
    if (window.size < ring.length) window.size += 1
  }
}

/** Oldest first, `0` a good piece and `1` a bad one. */
export function windowText(window: PieceWindow): string {
  const { ring, next, size } = window
  let text = ''
  for (let index = 0; index < size; index++) text += ring[(next - size + index + ring.length) % ring.length]
  return text
}

/** The window of a text; of a longer text the newest pieces. */
export function windowOf(text: string, pieces: number): PieceWindow {
  const window = newWindow(pieces)
  for (const digit of text.slice(-pieces)) pushPieces(window, 1, digit === '1')
  return window
}
