import { Flags } from '@oclif/core'
import { type LogFilter, ServiceError } from '../../roles/index.ts'

/** Which events: flags of the commands that read the log. */
export const logFilterFlags = {
  from: Flags.integer({ min: 1, summary: 'First event, by its place in this log.', helpValue: 'SEQ' }),
  to: Flags.integer({ min: 1, summary: 'Last event.', helpValue: 'SEQ' }),
  kind: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    summary: 'Events of this kind only, e.g. piece.judged. Repeat it for several.',
    helpValue: 'KIND',
  }),
  author: Flags.string({ summary: 'Events of this author only (a node id, or the start of it).', helpValue: 'ID' }),
  limit: Flags.integer({ min: 1, summary: 'At most so many events.', helpValue: 'N' }),
}

type LogFilterFlags = {
  from?: number | undefined
  to?: number | undefined
  kind?: string[] | undefined
  author?: string | undefined
  limit?: number | undefined
}

/** @throws ServiceError `usage` if the range is upside down or the author is no id */
export function logFilter({ from, to, kind, author, limit }: LogFilterFlags): LogFilter {
  if (from !== undefined && to !== undefined && from > to)
    throw new ServiceError('usage', `there is nothing from event ${from} to event ${to}: the first is after the last`)
  if (author !== undefined && !/^[0-9a-f]{1,64}$/.test(author))
    throw new ServiceError('usage', `not a node id, or the start of one: ${author}`)
  return {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(kind === undefined ? {} : { kinds: kind }),
    ...(author === undefined ? {} : { author }),
    ...(limit === undefined ? {} : { limit }),
  }
}
