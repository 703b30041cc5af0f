import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { LineSplitter } from '../../control/line-splitter.ts'
import { type BulkItem, ServiceError } from '../../roles/index.ts'

// Lists of what to publish: a line each, as text or as JSON.

/** A longer line is no path with a title. */
export const LIST_LINE_BYTES_MAX = 64 * 1024

/** One line of a list, or one entry of a folder: what to publish, or why nothing can be. */
export type BulkEntry = { readonly line?: number } & ({ readonly item: BulkItem } | { readonly problem: string })

const FIELDS = ['path', 'title', 'tags', 'category', 'directory']

/** @param list a file, or `-` for stdin @throws ServiceError `usage` if it cannot be read */
export async function openList(list: string): Promise<AsyncIterable<Uint8Array>> {
  if (list === '-') return process.stdin
  try {
    const file = await open(list)
    if ((await file.stat()).isDirectory()) {
      await file.close()
      throw new Error('it is a folder: `p2pt client import` publishes what is in it')
    }
    return file.createReadStream()
  } catch (cause) {
    throw new ServiceError('usage', `cannot read the list ${list}: ${(cause as Error).message}`, { cause })
  }
}

/**
 * Reads a list as it comes: `path`, then, with tabs between them, a title, tags with commas between them, and a category; or a
 * JSON object with these names. Empty lines and those that begin with `#` are passed over; broken ones are told by their number.
 * @param defaults of what a line leaves out; tags are added
 */
export async function* readList(
  bytes: AsyncIterable<Uint8Array>,
  defaults: { tags: readonly string[]; directory: string | undefined },
): AsyncGenerator<BulkEntry, void, void> {
  const lines = new LineSplitter(LIST_LINE_BYTES_MAX)
  let line = 0
  const entries = function* (chunk: Uint8Array): Generator<BulkEntry> {
    for (const text of lines.push(chunk)) {
      line += 1
      if (typeof text !== 'string') yield { line, problem: `the line is longer than ${LIST_LINE_BYTES_MAX / 1024} KiB` }
      else {
        const plain = text.replace(/\r$/, '')
        if (plain.trim() !== '' && !plain.startsWith('#')) yield { line, ...entryOf(plain, defaults) }
      }
    }
  }
  for await (const chunk of bytes) yield* entries(chunk)
  // The last line may have no end.
  yield* entries(Buffer.from('\n'))
}

function entryOf(
  line: string,
  { tags, directory }: { tags: readonly string[]; directory: string | undefined },
): { item: BulkItem } | { problem: string } {
  const read = line.startsWith('{') ? fromJson(line) : fromText(line)
  if (typeof read === 'string') return { problem: read }
  // A category is a tag by another name, in searches as well.
  const all = [...new Set([...tags, ...(read.tags ?? []), ...(read.category ? [read.category] : [])])]
  const folder = read.directory ?? directory
  return {
    item: {
      path: resolve(read.path),
      ...(read.title ? { title: read.title } : {}),
      ...(all.length > 0 ? { tags: all } : {}),
      ...(folder === undefined ? {} : { directory: resolve(folder) }),
    },
  }
}

type Fields = { path: string; title?: string; tags?: string[]; category?: string; directory?: string }

function fromText(line: string): Fields | string {
  const [path = '', title = '', tags = '', category = '', ...more] = line.split('\t').map((field) => field.trim())
  if (more.length > 0) return 'a line has at most a path, a title, tags and a category, with tabs between them'
  if (path === '') return 'the line has no path before its first tab'
  const tagList = tags.split(',').map((tag) => tag.trim())
  return { path, title, tags: tagList.filter((tag) => tag !== ''), category }
}

function fromJson(line: string): Fields | string {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return 'the line begins with { and is not JSON'
  }
  const fields = value as Record<string, unknown>
  const unknown = Object.keys(fields).find((name) => !FIELDS.includes(name))
  if (unknown !== undefined) return `there is no field ${JSON.stringify(unknown.slice(0, 50))}: it has ${FIELDS.join(', ')}`
  for (const name of FIELDS) {
    const field = fields[name]
    const isRight = name === 'tags' ? Array.isArray(field) && field.every(isText) : isText(field)
    if (field !== undefined && field !== null && !isRight)
      return `"${name}" must be ${name === 'tags' ? 'a list of texts' : 'a text'}`
  }
  if (!isText(fields.path) || fields.path === '') return 'the line has no "path"'
  return Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== null)) as Fields
}

const isText = (value: unknown): value is string => typeof value === 'string'
