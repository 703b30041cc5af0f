import { eventsMutants } from './events.ts'
import type { SubtleMutant } from './mutant.ts'
import { networkMutants } from './network.ts'
import { projectionsMutants } from './projections.ts'
import { rolesMutants } from './roles.ts'
import { torrentMutants } from './torrent.ts'

/** All of them, checked in: a stranger can run the same ones. */
export const SUBTLE_MUTANTS: readonly SubtleMutant[] = [
  ...eventsMutants,
  ...projectionsMutants,
  ...networkMutants,
  ...torrentMutants,
  ...rolesMutants,
]
