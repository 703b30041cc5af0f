import { ANCESTOR, LOCAL_ONLY, type Policy, SEED_V1 } from '../src/projections/reputation/index.ts'

/** The policies of the trial, from the ancestor's to the default, each with one idea more. */
const NO_RATE = { windowPieces: 1, windowPiecesMin: 4096, windowBad: 4096 }
export const POLICIES: readonly Policy[] = [
  { ...ANCESTOR, id: 'ancestor' },
  { ...SEED_V1, ...NO_RATE, id: 'clamped', strangerWeight: 1000, gossipBans: 1 },
  { ...SEED_V1, ...NO_RATE, id: 'clamped, weighted' },
  LOCAL_ONLY,
  SEED_V1,
]
