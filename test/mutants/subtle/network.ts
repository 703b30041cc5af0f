import type { SubtleMutant } from './mutant.ts'

export const networkMutants: readonly SubtleMutant[] = []
