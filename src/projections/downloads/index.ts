// downloads: what this node downloads and shares, as a fold over its own events; all that a restart goes on with. Imports
// events and projections' own helpers only, as the folders beside it do.
export * from './downloads.ts'
export * from './piece-ranges.ts'
