import type { NetworkId } from '../src/events/index.ts'
import type { StoreOwner } from '../src/projections/store-owner.level.ts'
import { authorOf } from './search-log.ts'

/** Whose index the benches build. */
export const TEST_OWNER_OF_STORE: StoreOwner = { author: authorOf(0), network: '00'.repeat(32) as NetworkId }
