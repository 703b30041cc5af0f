import type { Level } from 'level'
import type { SnapshotMark } from './projection-store.ts'
import { type Area, parseRecord } from './store-rows.level.ts'

// Where everything stands in the store, by the first letter of the key:
// `o`: whose they are (store-owner.level.ts). `c` NAME: the checkpoint. `p` NAME `\0` ROW: rows; once they were replaced, `q` NAME `\0` GENERATION `\0` ROW, where the
// checkpoint says which generation counts. `t` NAME `\0` SEQ: a snapshot, `s` NAME `\0` SEQ `\0` ROW: its rows. Numbers
// are written with 16 digits, so that they stand in their order. `g` NAME: which table of a projection on disk counts, `w` NAME `\0`
// GENERATION `\0` ROW: the rows of tables (row-table.level.ts).

const digits = (value: number): string => String(value).padStart(16, '0')
const areaOf = (prefix: string): Area => ({ prefix, end: `${prefix.slice(0, -1)}\x01` })

export const checkpointKey = (name: string): string => `c${name}`
export const snapshotKey = (name: string, seq: number): string => `t${name}\0${digits(seq)}`

export const rowArea = (name: string, generation: number): Area =>
  areaOf(generation === 0 ? `p${name}\0` : `q${name}\0${digits(generation)}\0`)

export const snapshotArea = (name: string, seq: number): Area => areaOf(`s${name}\0${digits(seq)}\0`)

/** Everything that may hold rows of a projection, but for one area. */
export function rowAreas(name: string, but?: Area): Area[] {
  const first = rowArea(name, 0)
  const later = areaOf(`q${name}\0`)
  if (but === undefined) return [first, later]
  if (but.prefix === first.prefix) return [later]
  return [first, { prefix: later.prefix, end: but.prefix }, { prefix: but.end, end: later.end }]
}

export async function clearArea(database: Level, { prefix, end }: Area): Promise<void> {
  await database.clear({ gte: prefix, lt: end })
}

/** Snapshots whose record can be read, ascending. */
export async function snapshotMarks(database: Level, name: string): Promise<SnapshotMark[]> {
  const { prefix, end } = areaOf(`t${name}\0`)
  const marks: SnapshotMark[] = []
  for await (const text of database.values({ gte: prefix, lt: end })) {
    try {
      const { version, checkpoint } = parseRecord(text)
      marks.push({ version, seq: checkpoint })
    } catch {
      // A damaged snapshot is none.
    }
  }
  return marks
}

export const tablesKey = (name: string): string => `g${name}`
export const tableArea = (name: string, generation: number): Area => areaOf(`w${name}\0${digits(generation)}\0`)
/** All tables of a projection from this generation on. */
export const tablesFrom = (name: string, generation: number): Area => ({
  prefix: tableArea(name, generation).prefix,
  end: areaOf(`w${name}\0`).end,
})
