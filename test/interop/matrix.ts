import { DIRECTIONS, ENCRYPTIONS, type Program, WAYS } from './program.ts'
import { aria2 } from './programs/aria2.ts'
import { libtorrent } from './programs/libtorrent.ts'
import { qbittorrent } from './programs/qbittorrent.ts'
import { transmission } from './programs/transmission.ts'
import type { Transfer } from './transfer.ts'

// What is tried with every program, and what is not. docs/interop.md has it as a table.

export const PROGRAMS: readonly Program[] = [libtorrent, qbittorrent, transmission, aria2]

/** The place of trackers in the matrix: to be taken out of here once the engine announces to them. */
export const NOT_YET: ReadonlySet<Row['way']> = new Set(['tracker'] as const)

export type Row = Omit<Transfer, 'program' | 'withinMs'>

/** With p2pt as it comes, every setting of the program; with the others of p2pt, the program as it comes. */
export const ROWS: readonly Row[] = DIRECTIONS.flatMap((direction) => [
  ...WAYS.flatMap((way) => ENCRYPTIONS.map((encryption) => ({ direction, way, encryption, p2pt: 'allow' as const }))),
  ...(['require', 'refuse'] as const).map((p2pt) => ({
    ...{ direction, p2pt, encryption: 'as it comes' as const, way: 'named to p2pt' as const },
  })),
])

export const titleOf = ({ direction, way, encryption, p2pt }: Row): string =>
  `${direction}, ${way}, ${encryption}${p2pt === 'allow' ? '' : `, p2pt told to ${p2pt} encryption`}`

export const whyNot = (program: Program, { direction, way, encryption }: Row): string | undefined =>
  NOT_YET.has(way) ? 'not supported yet' : program.cannot(direction, encryption, way)
