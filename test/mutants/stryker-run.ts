import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command } from './command.ts'
import { mirrorTests } from './mirror-tests.ts'
import type { Fate, Result } from './score.ts'

/** All mutants of one file; the slowest have some hundreds, each as long as its tests. */
const LIMIT_MS = 4 * 60 * 60 * 1000
const CONFIG = 'stryker.mutants.json'
const REPORT = 'stryker.report.json'

/** What is read of Stryker's report (mutation-testing-report-schema 2). */
type StrykerMutant = {
  readonly mutatorName: string
  readonly replacement?: string
  readonly status: string
  readonly location: { readonly start: { readonly line: number } }
}
type StrykerReport = { readonly files: Readonly<Record<string, { readonly mutants: readonly StrykerMutant[] }>> }

const FATES: Readonly<Record<string, Fate>> = {
  Killed: 'killed',
  CompileError: 'types',
  RuntimeError: 'killed',
  Timeout: 'time',
  Survived: 'survived',
  NoCoverage: 'survived',
}

/** The mutants of a report of one file; what Stryker ignored does not count. */
export function resultsOf(file: string, { files }: StrykerReport): Result[] {
  return Object.values(files)
    .flatMap(({ mutants }) => mutants)
    .flatMap(({ status, mutatorName, replacement = '', location }) => {
      const fate = FATES[status]
      const breaks = `${mutatorName}: ${replacement.replaceAll(/\s+/g, ' ').slice(0, 80)}`
      return fate === undefined ? [] : [{ by: 'stryker', file, line: location.start.line, breaks, fate } as const]
    })
}

export type StrykerTools = {
  readonly root: string
  readonly program: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** One run of Stryker in a copy of the tree: every mutant of one file against its mirror tests. */
export async function runStryker({ root, program, timeoutMs, signal }: StrykerTools, file: string): Promise<Result[]> {
  const tests = mirrorTests(root, file)
  if (tests.length === 0) return []
  const config = {
    testRunner: 'command',
    commandRunner: { command: `mocha --no-config --bail --exit --timeout ${timeoutMs} ${tests.join(' ')}` },
    mutate: [file],
    // The copy is thrown away as it is: a copy of the copy for each run would be for nothing.
    inPlace: true,
    // Stryker reads TypeScript's configuration by an API that TypeScript 7 no longer has.
    tsconfigFile: 'none.json',
    plugins: [],
    checkers: [],
    concurrency: 1,
    reporters: ['json'],
    jsonReporter: { fileName: REPORT },
    ignorePatterns: ['dist'],
    allowConsoleColors: false,
    thresholds: { break: null },
  }
  writeFileSync(join(root, CONFIG), JSON.stringify(config))
  rmSync(join(root, REPORT), { force: true })
  const ended = await command(root, program, ['run', CONFIG], { limitMs: LIMIT_MS, signal })
  if (ended.code !== 0) throw new Error(`Stryker failed on ${file}:\n${ended.output}`)
  return resultsOf(file, JSON.parse(readFileSync(join(root, REPORT), 'utf8')) as StrykerReport)
}
