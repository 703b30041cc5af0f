import { oddAttributes } from './attributes.ts'
import { oddNames } from './names.ts'
import type { Odd } from './odd-torrent.ts'
import { oddPieces } from './pieces.ts'
import { reported } from './reported.ts'
import { samePaths } from './same-paths.ts'
import { oddStructures } from './structure.ts'

/** Torrents as the world has them, and as an attacker makes them, with what p2pt does with each. */
export const ODD_TORRENTS: readonly Odd[] = [
  ...oddNames,
  ...samePaths,
  ...oddPieces,
  ...oddStructures,
  ...oddAttributes,
  ...reported,
]
