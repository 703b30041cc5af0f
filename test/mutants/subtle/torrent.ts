import type { SubtleMutant } from './mutant.ts'

export const torrentMutants: readonly SubtleMutant[] = []
