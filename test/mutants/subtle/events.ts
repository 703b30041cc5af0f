import type { SubtleMutant } from './mutant.ts'

export const eventsMutants: readonly SubtleMutant[] = []
