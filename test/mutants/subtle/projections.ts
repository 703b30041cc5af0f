import type { SubtleMutant } from './mutant.ts'

export const projectionsMutants: readonly SubtleMutant[] = []
