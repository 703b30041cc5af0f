import { LogError } from '../../events/log/event-log.ts'
import type { NodeRole } from '../../events/model/event.ts'

export type DataDirectoryErrorDetail =
  | { code: 'DIRECTORY_OTHER_ROLE'; directory: string; expected: NodeRole; found: NodeRole }
  | { code: 'DIRECTORY_NEWER'; directory: string; format: number; supported: number }
  /** It has something else in it, or a part of it is gone or cannot be read. */
  | { code: 'DIRECTORY_UNUSABLE'; directory: string; reason: string }
  /** No node was ever started there, or what says which one is gone or cannot be read. */
  | { code: 'DIRECTORY_MISSING'; directory: string; reason: string }
  | { code: 'IMPORT_UNFINISHED'; directory: string; file: string }
  /** A new node has to be told which network it is to join. */
  | { code: 'NO_NETWORK'; directory: string }
  | { code: 'OTHER_NETWORK'; directory: string; expected: string; found: string }

const SENTENCES: {
  [C in DataDirectoryErrorDetail['code']]: (detail: Extract<DataDirectoryErrorDetail, { code: C }>) => string
} = {
  DIRECTORY_OTHER_ROLE: ({ directory, expected, found }) =>
    `${directory} is the data directory of a node with the role ${found}, not ${expected}: give another directory with --data`,
  DIRECTORY_NEWER: ({ directory, format, supported }) =>
    `${directory} has format ${format}, this version knows up to ${supported}: use a newer p2pt`,
  DIRECTORY_UNUSABLE: ({ directory, reason }) => `${directory} cannot be used as a data directory: ${reason}`,
  DIRECTORY_MISSING: ({ directory, reason }) => `there is no p2pt node in ${directory}: ${reason}`,
  IMPORT_UNFINISHED: ({ directory, file }) =>
    `the import of ${file} into ${directory} was not finished, and the log lacks events: run the same \`p2pt log import\` again`,
  NO_NETWORK: ({ directory }) =>
    `the node in ${directory} belongs to no network yet: start it with --join STRING (ask the owner of the network for one), or make a network with \`p2pt network create NAME\``,
  OTHER_NETWORK: ({ directory, expected, found }) =>
    `the node in ${directory} belongs to the network "${found}", not to "${expected}": give another directory with --data`,
}

/** What the operator can mend. A directory in use is LogError `LOG_LOCKED`. */
export class DataDirectoryError extends Error {
  override readonly name = 'DataDirectoryError'
  readonly code: DataDirectoryErrorDetail['code']
  readonly detail: DataDirectoryErrorDetail

  constructor(detail: DataDirectoryErrorDetail, options?: ErrorOptions) {
    super((SENTENCES[detail.code] as (detail: DataDirectoryErrorDetail) => string)(detail), options)
    this.code = detail.code
    this.detail = detail
  }
}

/** Runs what uses the disk. @throws DataDirectoryError `DIRECTORY_UNUSABLE` with what the disk said */
export function unlessUnusable<T>(directory: string, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof LogError || cause instanceof DataDirectoryError) throw cause
    throw new DataDirectoryError({ code: 'DIRECTORY_UNUSABLE', directory, reason: (cause as Error).message }, { cause })
  }
}
