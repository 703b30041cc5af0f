import { copyFileSync, existsSync, linkSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

// Copies of a database that cost no space: tables never change once they are written, so they are links, and only what is
// in no table yet is copied. Opening a LevelDB database rewrites it; opened is the copy.
//
// The links are called `.sst`, as tables once were. LevelDB still reads that name where it finds no `.ldb`, and never writes
// to it. To `.ldb` it does: under a MANIFEST that is cut or old it gives the numbers of live tables out again, and would
// empty the files behind the links, which are the original's.

const TABLE = /\.(ldb|sst)$/

export type LinkedCopy = Disposable & { readonly path: string }

/**
 * A copy of `directory`/`name` in a folder of its own, which goes when it is disposed; empty where there is nothing to
 * copy. It stands beside the original, or with the system's temporary files where that may not be written to.
 * @param prefix of the folder's name; folders that a killed process left are removed
 */
export function linkedCopy(directory: string, name: string, prefix: string): LinkedCopy {
  const path = folderFor(directory, prefix)
  const dispose = (): void => rmSync(path, { recursive: true, force: true })
  try {
    linkFiles(join(directory, name), path)
  } catch (error) {
    dispose()
    throw error
  }
  return { path, [Symbol.dispose]: dispose }
}

/** Removes the folders of copies that a killed process left. */
export function removeCopies(directory: string, prefix: string): void {
  for (const left of readdirSync(directory))
    if (left.startsWith(prefix)) rmSync(join(directory, left), { recursive: true, force: true })
}

function folderFor(directory: string, prefix: string): string {
  try {
    removeCopies(directory, prefix)
    return mkdtempSync(join(directory, prefix))
  } catch (error) {
    if (!isReadOnly(error)) throw error
    return mkdtempSync(join(tmpdir(), `p2pt-${prefix}`))
  }
}

// Not the lock: closing any copy of it would free it.
function linkFiles(from: string, to: string): void {
  if (!existsSync(from)) return
  for (const name of readdirSync(from)) {
    if (name === 'LOCK') continue
    const [source, target] = [resolve(from, name), join(to, name)]
    if (TABLE.test(name)) linkTable(source, target.replace(TABLE, '.sst'))
    else copyFileSync(source, target)
  }
}

function linkTable(source: string, target: string): void {
  try {
    linkSync(source, target)
  } catch {
    // Another file system, or files of somebody else.
    symlinkSync(source, target)
  }
}

/** True if a place may be read and not written to. */
export const isReadOnly = (error: unknown): boolean =>
  ['EROFS', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException | undefined)?.code ?? '')
