import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The version in package.json, which stands above both src/ and dist/src/. */
export const VERSION: string = versionAbove(import.meta.dirname)

function versionAbove(directory: string): string {
  try {
    const { name, version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Record<string, string>
    if (name === 'p2pt' && version !== undefined) return version
  } catch {
    // Not in this folder.
  }
  const parent = dirname(directory)
  return parent === directory ? '0.0.0' : versionAbove(parent)
}
