import type { SubtleMutant } from './mutant.ts'

export const rolesMutants: readonly SubtleMutant[] = []
