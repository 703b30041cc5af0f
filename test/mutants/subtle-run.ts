import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command } from './command.ts'
import { mirrorTests, testsOf } from './mirror-tests.ts'
import type { Fate, Result } from './score.ts'
import { lineOf, mutated, type SubtleMutant } from './subtle/mutant.ts'

/** A test that hangs fails by mocha; a process that hangs is ended after so long, ms. */
const LIMIT_MS = 300_000
/** A name that is no longer used is an accident of the fault, and nothing that the types know. */
const TSC = ['-p', 'tsconfig.json', '--noUnusedLocals', 'false', '--noUnusedParameters', 'false']
const MOCHA = ['--no-config', '--bail', '--exit', '--timeout']

export type SubtleTools = { readonly root: string; readonly timeoutMs: number; readonly signal: AbortSignal }

/** Test files of a mutant. @throws RangeError if there are none */
export function testsFor(root: string, mutant: SubtleMutant): string[] {
  const tests = mutant.tests === undefined ? mirrorTests(root, mutant.file) : testsOf(root, mutant.tests)
  if (tests.length === 0) throw new RangeError(`no tests for ${mutant.file}`)
  return tests
}

/** Runs tests unmutated. @throws Error if they fail: then no mutant would be killed by its fault */
export async function assertPassing({ root, timeoutMs, signal }: SubtleTools, tests: readonly string[]): Promise<void> {
  const ended = await command(root, 'mocha', [...MOCHA, String(timeoutMs), ...tests], { limitMs: LIMIT_MS, signal })
  if (ended.code !== 0) throw new Error(`fails without any mutant: ${tests.join(' ')}\n${ended.output}`)
}

/** Puts one fault into a copy of the tree, asks tests and types, and takes it out again. */
export async function runSubtle(tools: SubtleTools, mutant: SubtleMutant): Promise<Result> {
  const path = join(tools.root, mutant.file)
  const source = readFileSync(path, 'utf8')
  const text = mutated(source, mutant)
  const { file, breaks, lives } = mutant
  const result = { by: 'subtle', file, line: lineOf(source, mutant), breaks, lives } as const
  if (text === undefined) return { ...result, fate: 'stale' }
  writeFileSync(path, text)
  try {
    return { ...result, fate: await fateOf(tools, testsFor(tools.root, mutant)) }
  } finally {
    writeFileSync(path, source)
  }
}

/** The tests first: nearly all are killed by them, and they take less time than the types. */
async function fateOf({ root, timeoutMs, signal }: SubtleTools, tests: readonly string[]): Promise<Fate> {
  const ended = await command(root, 'mocha', [...MOCHA, String(timeoutMs), ...tests], { limitMs: LIMIT_MS, signal })
  if (ended.isLate) return 'time'
  if (ended.code !== 0) return 'killed'
  const types = await command(root, 'tsc', TSC, { limitMs: LIMIT_MS, signal })
  return types.code === 0 ? 'survived' : 'types'
}
