import { basename, matchesGlob } from 'node:path'
import type { FilePriority, FileSelection } from '../../events/index.ts'
import { type Inspected, priorityOfFile } from '../../torrent/index.ts'
import { type PriorityName, type SelectRequest, ServiceError } from '../services.ts'

/** Texts that name files, of one request. */
export const FILE_PATTERNS_MAX = 1_024

const PRIORITIES: Readonly<Record<PriorityName, FilePriority>> = { skip: 0, low: 1, normal: 2, high: 3 }
const NAMES = Object.keys(PRIORITIES) as PriorityName[]

export const priorityName = (priority: FilePriority): PriorityName => NAMES[priority] ?? 'normal'

/**
 * The selection that follows from a request.
 * @param before what is wanted now; null: all
 * @param paths of all files in the torrent's order, undefined while the metainfo is not known
 * @throws ServiceError `usage` for a text that names no file, and for a name of a torrent whose files are not known
 */
export function chooseFiles(
  before: FileSelection | null,
  paths: readonly string[] | undefined,
  { files = [], others, priority, sequential }: SelectRequest,
): FileSelection | null {
  if (files.length > FILE_PATTERNS_MAX) throw new ServiceError('usage', `at most ${FILE_PATTERNS_MAX} names of files at a time`)
  const rest = others === undefined ? undefined : priorityNamed(others)
  const chosen = priority === undefined ? undefined : priorityNamed(priority)
  const places = placesOf(files, paths)
  const length = paths?.length ?? Math.max(before?.priorities.length ?? 0, ...places.map((place) => place + 1), 0)
  const priorities = Array.from({ length }, (_, file) => rest ?? priorityOfFile(before ?? undefined, file))
  if (files.length === 0 && chosen !== undefined) priorities.fill(chosen)
  else if (chosen !== undefined) for (const place of places) priorities[place] = chosen
  const beyond = rest ?? (files.length === 0 ? chosen : undefined) ?? before?.others ?? 2
  const selection = {
    // With all files known there are none beyond.
    priorities: priorities.join(''),
    others: paths === undefined ? beyond : 2,
    sequential: sequential ?? before?.sequential ?? false,
  } as const
  return /^2*$/.test(selection.priorities) && selection.others === 2 && !selection.sequential ? null : selection
}

/** A magnet link may ask for some files only (BEP 53). */
export const wantedByLink = ({ wanted }: Pick<Inspected, 'wanted'>): SelectRequest =>
  wanted === undefined
    ? {}
    : { files: wanted.map(({ first, last }) => `${first + 1}-${last + 1}`), priority: 'normal', others: 'skip' }

/** @param texts numbers from 1, runs of them (`3-7`), or patterns of paths, of names and of folders */
function placesOf(texts: readonly string[], paths: readonly string[] | undefined): number[] {
  const places = new Set<number>()
  for (const text of texts) {
    const run = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(text)
    const found = run === null ? matching(text, paths) : numbered(text, Number(run[1]), Number(run[2] ?? run[1]), paths?.length)
    for (const place of found) places.add(place)
  }
  return [...places]
}

/** A torrent has at most this many files. */
const FILES_MAX = 65_536

function numbered(text: string, first: number, last: number, count = FILES_MAX): number[] {
  if (first < 1 || last < first || last > count) {
    const few = count === FILES_MAX ? '' : `: the torrent has ${count === 1 ? '1 file' : `${count} files`}`
    throw new ServiceError('usage', `there is no file ${JSON.stringify(text)}${few}; see \`p2pt client files\``)
  }
  return Array.from({ length: last - first + 1 }, (_, at) => first - 1 + at)
}

/** Of a path (PATH_MAX). */
const PATTERN_LENGTH_MAX = 4_096

function matching(pattern: string, paths: readonly string[] | undefined): number[] {
  if (paths === undefined) {
    throw new ServiceError(
      'usage',
      `what the torrent holds is not known yet, so ${JSON.stringify(pattern)} says nothing: give numbers, or choose when it is known`,
    )
  }
  if (pattern.length > PATTERN_LENGTH_MAX)
    throw new ServiceError('usage', `a name or pattern of ${pattern.length} characters is longer than any path may be`)
  const folder = pattern.endsWith('/') ? pattern : `${pattern}/`
  const found = [...paths.keys()].filter((place) => {
    const path = paths[place] ?? ''
    // The first part is the name of the torrent itself.
    const inside = path.slice(path.indexOf('/') + 1)
    const isNamed = path === pattern || inside === pattern || path.startsWith(folder) || inside.startsWith(folder)
    return isNamed || matchesGlob(path, pattern) || matchesGlob(inside, pattern) || matchesGlob(basename(path), pattern)
  })
  if (found.length === 0)
    throw new ServiceError('usage', `no file of the torrent is named ${JSON.stringify(pattern)}; see \`p2pt client files\``)
  return found
}

function priorityNamed(name: PriorityName): FilePriority {
  const priority = Object.hasOwn(PRIORITIES, name) ? PRIORITIES[name] : undefined
  if (priority === undefined) throw new ServiceError('usage', `a priority is ${NAMES.join(', ')}, not ${JSON.stringify(name)}`)
  return priority
}
