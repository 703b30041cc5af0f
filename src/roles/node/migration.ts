import { type EventKind, KINDS, kindOfNumber, type LogView, type Versions } from '../../events/index.ts'
import type { DiskProjection, Projection, ProjectionStore } from '../../projections/index.ts'
import { type MigrationPlan, ServiceError } from '../services.ts'

type Migrating = Pick<Projection<unknown>, 'name' | 'version' | 'handles'> & Partial<Pick<DiskProjection<unknown>, 'onDisk'>>

type Counted = { number: number; version: number; events: number; own: number }

/**
 * What a log of older versions means for this one: which events are brought up to date on read, and which projections
 * have to be made again. Reads every event, changes nothing.
 * @param kinds the present versions
 * @throws ServiceError `damaged` if this node itself wrote events of a newer version
 */
export async function planMigration(
  log: LogView,
  store: ProjectionStore | undefined,
  projections: readonly Migrating[],
  kinds: Versions = KINDS,
): Promise<MigrationPlan> {
  /** The version of a kind that this p2pt writes; null for a kind that it does not know. */
  const presentOf = (number: number): number | null => {
    const kind = kindOfNumber(number)
    return kind === undefined ? null : kinds[kind].version
  }
  // Of an unknown kind no version is older or newer.
  const isOlder = ({ number, version }: Counted): boolean => version < (presentOf(number) ?? 0)
  const isNewer = ({ number, version }: Counted): boolean => version > (presentOf(number) ?? version)
  const counted = await countVersions(log)
  const newer = counted.find((row) => row.own > 0 && isNewer(row))
  if (newer !== undefined) {
    throw new ServiceError(
      'damaged',
      `this node wrote ${newer.own} events of ${nameOf(newer.number)} in version ${newer.version}, this p2pt knows up to ${presentOf(newer.number)}: use the newer p2pt that wrote them`,
    )
  }
  const perKind = new Map<string, number>()
  for (const { number, events } of counted) perKind.set(nameOf(number), (perKind.get(nameOf(number)) ?? 0) + events)
  const eventsOf = (kinds: readonly EventKind[]): number => kinds.reduce((sum, kind) => sum + (perKind.get(kind) ?? 0), 0)
  return {
    events: counted.reduce((sum, { events }) => sum + events, 0),
    versions: counted.map(({ number, version, events }) => ({
      kind: nameOf(number),
      version,
      present: presentOf(number),
      events,
    })),
    upcasts: counted.filter(isOlder).map(({ number, version, events }) => ({
      kind: nameOf(number),
      from: version,
      to: presentOf(number) ?? version,
      events,
    })),
    projections: await Promise.all(
      projections.map(async (projection) => {
        const { name, version, handles } = projection
        const { reason, stored, checkpoint } = await standing(store, projection, log.head)
        return { name, version, stored, checkpoint, rebuild: reason, events: reason === null ? 0 : eventsOf(handles) }
      }),
    ),
  }
}

async function countVersions(log: LogView): Promise<Counted[]> {
  const byKey = new Map<number, Counted>()
  for await (const batch of log.readBatches()) {
    for (const { kind, version, author } of batch) {
      const key = kind * 65_536 + version
      let row = byKey.get(key)
      if (row === undefined) {
        row = { number: kind, version, events: 0, own: 0 }
        byKey.set(key, row)
      }
      row.events += 1
      if (author === log.author) row.own += 1
    }
  }
  return [...byKey.values()].sort((a, b) => a.number - b.number || a.version - b.version)
}

const nameOf = (number: number): string => kindOfNumber(number) ?? `unknown kind ${number}`

type Standing = { reason: MigrationPlan['projections'][number]['rebuild']; stored: number | null; checkpoint: number }

/** The same tests as the runner makes when it loads the rows. */
async function standing(store: ProjectionStore | undefined, projection: Migrating, head: number): Promise<Standing> {
  const { name, version } = projection
  try {
    const found = await ('onDisk' in projection ? store?.openTable(name) : store?.load(name))
    if (found === undefined) return { reason: head > 0 ? 'missing' : null, stored: null, checkpoint: 0 }
    const { version: stored, checkpoint } = found
    const reason = stored !== version ? 'version' : checkpoint > head ? 'beyond-log' : null
    return { reason, stored, checkpoint }
  } catch {
    return { reason: 'damaged', stored: null, checkpoint: 0 }
  }
}
