// Preloaded into a client (node --import): each SIGUSR2 puts its clock forward.

/** Little enough that others still take what it stamps. */
const SHIFT_MS = 12 * 60_000

const now = Date.now
let shiftMs = 0
Date.now = () => now() + shiftMs
process.on('SIGUSR2', () => {
  shiftMs += SHIFT_MS
})
