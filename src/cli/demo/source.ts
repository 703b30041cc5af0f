import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync } from 'node:fs'
import { copyFile, cp, mkdir, readdir, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { pipeline } from 'node:stream/promises'

/** What the story publishes: a copy of its own, so that nothing of the user's is touched. */
export type DemoSource = { path: string; title: string; word: string }

/**
 * Copies `folder`, or by default a real program of tens of MB that stands beside this one, to `directory`.
 * @throws Error if there is nothing at `folder`
 */
export async function prepareSource(folder: string | undefined, directory: string): Promise<DemoSource> {
  await mkdir(directory, { recursive: true })
  if (folder !== undefined) {
    const path = join(directory, basename(folder))
    await cp(folder, path, { recursive: true })
    const title = basename(folder)
    return { path, title, word: longestWord(title) }
  }
  const program = installedProgram()
  const path = join(directory, program.name)
  await copyFile(program.path, path)
  return { path, title: program.title, word: program.word }
}

function installedProgram(): { path: string; name: string; title: string; word: string } {
  const compiler = typescriptCompiler()
  if (compiler !== undefined) {
    return { path: compiler, name: 'typescript-compiler', title: 'TypeScript native compiler', word: 'compiler' }
  }
  return { path: process.execPath, name: 'node', title: `Node.js runtime ${process.version}`, word: 'runtime' }
}

/** The TypeScript compiler is one binary of 20 to 30 MB in a package per platform, beside the package itself. */
function typescriptCompiler(): string | undefined {
  try {
    const require = createRequire(import.meta.url)
    const scope = join(dirname(require.resolve('typescript/package.json')), '..', '@typescript')
    for (const platform of readdirSync(scope)) {
      for (const name of ['tsc', 'tsc.exe']) {
        const path = join(scope, platform, 'lib', name)
        if (existsSync(path)) return path
      }
    }
  } catch {
    // Not installed: a published p2pt comes without its development tools.
  }
  return undefined
}

function longestWord(title: string): string {
  const words = title.match(/[\p{L}\p{N}]+/gu) ?? [title]
  return words.reduce((longest, word) => (word.length > longest.length ? word : longest))
}

/** sha-256 over every file's path and content, in path order; equal for equal trees, whatever the root is called. */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  const files = (await stat(path)).isDirectory() ? await filesBelow(path) : [path]
  for (const file of files) {
    hash.update(`${relative(path, file)}\0`)
    await pipeline(createReadStream(file), async (chunks) => {
      for await (const chunk of chunks) hash.update(chunk as Buffer)
    })
  }
  return hash.digest('hex')
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
