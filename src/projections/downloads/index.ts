export * from './downloads.ts'
export * from './piece-ranges.ts'
