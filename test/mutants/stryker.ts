import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TreeCopy } from './copy.ts'
import { mirrorOf } from './targets.ts'

// Stryker by its command runner: its mocha runner and its step for tsconfig fail on TypeScript 7. It is not among the
// dependencies, since it is as large as all of them that serve development: this tier installs it where it needs it.

const VERSION = '10.1.1'

type Mutant = { status: string; mutatorName: string; replacement?: string; location: { start: { line: number } } }
type Report = { files: { [file: string]: { mutants: Mutant[] } } }

export async function strykerOver(
  root: string,
  files: readonly string[],
  jobs: number,
  note: (text: string) => void,
  signal: AbortSignal,
): Promise<{ killed: number; total: number; survivors: string[] }> {
  const stryker = installed(join(root, 'node_modules/.cache/stryker'))
  using copy = new TreeCopy(root)
  const survivors: string[] = []
  let [killed, total] = [0, 0]
  for (const file of files) {
    const tests = mirrorOf(root, file)
    if (tests.length === 0) {
      note(`${file}: no test mirrors it`)
      continue
    }
    const mutants = await mutantsOf(stryker, copy.root, file, tests, jobs, signal)
    const counted = mutants.filter(({ status }) => status === 'Killed' || status === 'Timeout' || status === 'Survived')
    const dead = counted.filter(({ status }) => status !== 'Survived')
    killed += dead.length
    total += counted.length
    note(`${file}: ${dead.length} of ${counted.length} killed`)
    for (const { status, mutatorName, replacement = '', location } of counted) {
      if (status === 'Survived') survivors.push(`${file}:${location.start.line} ${mutatorName} ${replacement.slice(0, 80)}`)
    }
  }
  return { killed, total, survivors }
}

function installed(folder: string): string {
  const program = join(folder, 'node_modules/@stryker-mutator/core/bin/stryker.js')
  if (existsSync(program)) return program
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const words = ['install', '--no-audit', '--no-fund', `@stryker-mutator/core@${VERSION}`]
  const { status, stderr } = spawnSync('npm', words, { cwd: folder, encoding: 'utf8' })
  if (status !== 0) throw new Error(`Stryker could not be installed: ${stderr}`)
  return program
}

async function mutantsOf(
  stryker: string,
  root: string,
  file: string,
  tests: readonly string[],
  jobs: number,
  signal: AbortSignal,
): Promise<Mutant[]> {
  const report = join(root, 'stryker.json')
  const mocha = ['mocha', '--no-config', '--bail', '--timeout', '20000', ...tests.map((test) => JSON.stringify(test))].join(' ')
  const config = {
    testRunner: 'command',
    commandRunner: { command: mocha },
    mutate: [file],
    tsconfigFile: 'none.json',
    plugins: [],
    checkers: [],
    concurrency: jobs,
    reporters: ['json'],
    jsonReporter: { fileName: report },
    ignorePatterns: ['dist', 'docs'],
    tempDirName: '.stryker',
    logLevel: 'error',
  }
  writeFileSync(join(root, 'stryker.conf.json'), JSON.stringify(config))
  const bin = join(root, 'node_modules/.bin')
  const child = spawn(process.execPath, [stryker, 'run', 'stryker.conf.json'], {
    cwd: root,
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const end = () => child.kill('SIGTERM')
  signal.addEventListener('abort', end, { once: true })
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  signal.removeEventListener('abort', end)
  signal.throwIfAborted()
  if (code !== 0) throw new Error(`Stryker failed at ${file} with ${code}`)
  const { files } = JSON.parse(readFileSync(report, 'utf8')) as Report
  return Object.values(files).flatMap(({ mutants }) => mutants)
}
