// All checked-in mutants. Each module holds those of one folder of src/, or of one idea.
import { eventsMutants } from './events.ts'
import type { SubtleMutant } from './mutant.ts'
import { networkMutants } from './network.ts'
import { networkAdapterMutants } from './network-adapters.ts'
import { networkMutantsByHand } from './network-by-hand.ts'
import { projectionsMutants } from './projections.ts'
import { rolesMutants } from './roles.ts'
import { titlePlacesMutants } from './title-places.ts'
import { torrentMutants } from './torrent.ts'

export const SUBTLE_MUTANTS: readonly SubtleMutant[] = [
  ...eventsMutants,
  ...projectionsMutants,
  ...networkMutants,
  ...networkMutantsByHand,
  ...networkAdapterMutants,
  ...torrentMutants,
  ...rolesMutants,
  ...titlePlacesMutants,
]
