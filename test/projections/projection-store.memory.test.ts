import { openMemoryProjectionStore } from '../../src/projections/projection-store.memory.ts'
import { projectionStoreContract } from './projection-store.contract.ts'

projectionStoreContract('the store in memory', async () => openMemoryProjectionStore())
