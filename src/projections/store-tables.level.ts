import type { Level } from 'level'
import type { ProjectionStore } from './projection-store.ts'
import { LevelTable } from './row-table.level.ts'
import { damagedTable } from './row-table.ts'
import { clearArea, tableArea, tablesFrom, tablesKey } from './store-areas.level.ts'

/** Generations of a projection's table: the one that counts, the one being made, and the next that is free. */
type Generations = { readonly current: number | null; readonly begun: number | null; readonly next: number }

const SCRATCH_FROM = 1e15

const isGeneration = (value: unknown): boolean => value === null || Number.isSafeInteger(value)

/** The tables of projections on disk; opened, checked and closed with the store they are in. */
export function levelTables(
  database: Level,
): Pick<ProjectionStore, 'openTable' | 'beginTable' | 'dropBegun' | 'adoptTable' | 'scratchTable'> {
  const generationsOf = async (name: string): Promise<Generations> => {
    let text: string | undefined
    try {
      text = await database.get(tablesKey(name))
      if (text === undefined) return { current: null, begun: null, next: 1 }
      const { current, begun, next } = JSON.parse(text) as Generations
      if (isGeneration(current) && isGeneration(begun) && Number.isSafeInteger(next)) return { current, begun, next }
    } catch (cause) {
      throw damagedTable(name, 'which of its tables counts cannot be read', cause)
    }
    throw damagedTable(name, 'which of its tables counts is not readable')
  }
  const areaOf = (name: string, generation: number) => ({ name, prefix: tableArea(name, generation).prefix })
  const save = (name: string, generations: Generations): Promise<void> =>
    database.put(tablesKey(name), JSON.stringify(generations))

  let scratches = 0

  return {
    async openTable(name) {
      const { current, next } = await generationsOf(name)
      // What looks at the past left behind that were cut off.
      await clearArea(database, tablesFrom(name, next))
      return current === null ? undefined : LevelTable.stored(database, areaOf(name, current))
    },

    async beginTable(name, version) {
      let before: Generations
      try {
        before = await generationsOf(name)
      } catch {
        // Nothing tells which tables there are: all of them go.
        await clearArea(database, tablesFrom(name, 0))
        before = { current: null, begun: null, next: 1 }
      }
      const { begun, next } = before
      if (begun !== null) {
        const left = readLeft(database, areaOf(name, begun))
        if (left?.version === version) return left
        await clearArea(database, tableArea(name, begun))
      }
      await clearArea(database, tableArea(name, next))
      await save(name, { ...before, begun: next, next: next + 1 })
      return LevelTable.empty(database, areaOf(name, next), version)
    },

    async dropBegun(name) {
      const generations = await generationsOf(name)
      if (generations.begun === null) return
      await save(name, { ...generations, begun: null })
      await clearArea(database, tableArea(name, generations.begun))
    },

    async adoptTable(name, table) {
      const { begun, current, next } = await generationsOf(name)
      if (begun === null || !(table instanceof LevelTable) || table.prefix !== areaOf(name, begun).prefix) return
      await save(name, { current: begun, begun: null, next })
      if (current !== null) await clearArea(database, tableArea(name, current))
    },

    async scratchTable(name, version) {
      // Beyond every generation that will ever count, so that the next open clears what a crash leaves.
      const generation = SCRATCH_FROM + scratches++
      const drop = (): Promise<void> => clearArea(database, tableArea(name, generation))
      await drop()
      return { table: LevelTable.empty(database, areaOf(name, generation), version), drop }
    },
  }
}

/** A table that was begun and left; a damaged one is none. */
function readLeft(database: Level, area: { name: string; prefix: string }): LevelTable | undefined {
  try {
    return LevelTable.stored(database, area)
  } catch {
    return undefined
  }
}
