import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const VERSION = '10.1.1'

/** One of Stryker's mutants of a file. */
export type StrykerMutant = {
  /** What `activeMutant` is set to. */
  readonly id: string
  readonly mutatorName: string
  readonly replacement: string
  /** `Ignored` where a comment in the file says so; without one otherwise. */
  readonly status?: string | undefined
  /** Lines count from 0. */
  readonly location: { readonly start: { readonly line: number } }
}

/** A file that has all its mutants at once; which one it runs with is looked up as it runs. */
export type Instrumented = { readonly content: string; readonly mutants: readonly StrykerMutant[] }

/** What is used of Stryker's instrumenter. */
type Logger = Record<'debug' | 'info' | 'warn' | 'error', () => void> & { isDebugEnabled(): boolean }
type Instrumenter = {
  instrument(
    files: readonly { name: string; mutate: boolean; content: string }[],
    options: { plugins: null; excludedMutations: readonly string[]; ignorers: readonly never[] },
  ): Promise<{ files: readonly { content: string }[]; mutants: readonly StrykerMutant[] }>
}
type Module = { readonly Instrumenter: new (logger: Logger) => Instrumenter }

const nothing = (): void => {}
const SILENT: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing, isDebugEnabled: () => false }

/**
 * Stryker's instrumenter. It is no devDependency: it brings 78 packages and 23 MB that nobody but this runner needs, so it is
 * installed into a folder of the user's cache when it is first asked for.
 * @returns a function that puts all mutants into the text of a file
 */
export async function strykerInstrumenter(): Promise<(file: string, text: string) => Promise<Instrumented>> {
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'p2pt-mutants', `instrumenter-${VERSION}`)
  const entry = join(folder, 'node_modules/@stryker-mutator/instrumenter/dist/src/index.js')
  if (!existsSync(entry)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }))
    console.error(`Stryker's instrumenter ${VERSION} is installed into ${folder}`)
    const args = ['install', '--no-audit', '--no-fund', '--save-exact', `@stryker-mutator/instrumenter@${VERSION}`]
    await promisify(execFile)('npm', args, { cwd: folder })
  }
  const { Instrumenter } = (await import(pathToFileURL(entry).href)) as Module
  const instrumenter = new Instrumenter(SILENT)
  return async (file, text) => {
    const options = { plugins: null, excludedMutations: [], ignorers: [] }
    const { files, mutants } = await instrumenter.instrument([{ name: file, mutate: true, content: text }], options)
    const content = files[0]?.content
    if (content === undefined) throw new Error(`Stryker gave nothing for ${file}`)
    return { content, mutants }
  }
}
