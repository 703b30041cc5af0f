import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PARTS = ['src', 'test', 'bin', 'dist', 'proto', 'migrations', 'bench', 'scripts', 'docs', 'docker', '.changeset']
const FILES = [
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
]
/** A test that takes no longer than this without a mutant is taken to hang. */
const TESTS_MS_MAX = 180_000

export type Outcome = 'killed' | 'killed by types' | 'killed by time' | 'survived'

/** A copy of the tree for one mutant after the other: the checkout itself is never touched. */
export class TreeCopy implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'p2pt-mutants-'))

  constructor(from: string) {
    for (const name of [...PARTS, ...FILES]) cpSync(join(from, name), join(this.root, name), { recursive: true })
    symlinkSync(join(from, 'node_modules'), join(this.root, 'node_modules'))
  }

  async tryOut(
    file: string,
    mutate: (source: string) => string,
    tests: readonly string[],
    signal: AbortSignal,
  ): Promise<Outcome> {
    const path = join(this.root, file)
    const source = readFileSync(path, 'utf8')
    writeFileSync(path, mutate(source))
    try {
      if ((await this.#run(['tsc', '-p', 'tsconfig.json'], signal)) !== 0) return 'killed by types'
      const code = await this.tests(tests, signal)
      return code === undefined ? 'killed by time' : code === 0 ? 'survived' : 'killed'
    } finally {
      writeFileSync(path, source)
    }
  }

  /** @returns the exit code; undefined where they did not end in time */
  tests(tests: readonly string[], signal: AbortSignal): Promise<number | undefined> {
    return this.#run(['mocha', '--no-config', '--bail', '--forbid-only', '--timeout', '20000', ...tests], signal)
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true })
  }

  #run([command = '', ...words]: readonly string[], signal: AbortSignal): Promise<number | undefined> {
    const bin = join(this.root, 'node_modules/.bin')
    const child = spawn(join(bin, command), words, {
      cwd: this.root,
      env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
      stdio: 'ignore',
      detached: true,
    })
    return new Promise((resolve, reject) => {
      // With all that it has started.
      const end = () => {
        try {
          if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
        } catch {
          // It has ended.
        }
      }
      let isLate = false
      const timer = setTimeout(() => {
        isLate = true
        end()
      }, TESTS_MS_MAX)
      signal.addEventListener('abort', end, { once: true })
      child.once('error', reject)
      child.once('exit', (code) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        if (signal.aborted) reject(signal.reason)
        else resolve(isLate ? undefined : (code ?? 1))
      })
    })
  }
}
