import type { MigrationPlan } from '../../roles/index.ts'
import { table } from './table.ts'
import { count, counted } from './units.ts'

const REASONS = {
  missing: 'nothing of this log is stored',
  version: 'stored by another version',
  'beyond-log': 'it has seen events that the log does not have',
  damaged: 'its stored rows are damaged',
} as const

/** What a migration does, or did. */
export function migrationText(plan: MigrationPlan): string {
  const kinds = table(plan.versions, [
    { title: 'KIND', value: (row) => row.kind },
    { title: 'VERSION', value: (row) => String(row.version), align: 'right' },
    { title: 'PRESENT', value: (row) => (row.present === null ? '?' : String(row.present)), align: 'right' },
    { title: 'EVENTS', value: (row) => count(row.events), align: 'right' },
  ])
  const upcasts = plan.upcasts.map(
    ({ kind, from, to, events }) => `  ${kind}: ${counted(events, 'event')} of version ${from} as version ${to}`,
  )
  const projections = table(plan.projections, [
    { title: 'PROJECTION', value: (row) => row.name },
    { title: 'STORED', value: (row) => (row.stored === null ? '' : String(row.stored)), align: 'right' },
    { title: 'PRESENT', value: (row) => String(row.version), align: 'right' },
    { title: 'CHECKPOINT', value: (row) => count(row.checkpoint), align: 'right' },
    { title: 'REBUILD', value: (row) => (row.rebuild === null ? 'no' : REASONS[row.rebuild]) },
    { title: 'EVENTS', value: (row) => (row.rebuild === null ? '' : count(row.events)), align: 'right' },
  ])
  return [
    `${counted(plan.events, 'event')} in the log, which is never rewritten`,
    kinds,
    upcasts.length === 0 ? 'no event is of an older version' : `brought up to date when they are read:\n${upcasts.join('\n')}`,
    projections,
  ].join('\n\n')
}
