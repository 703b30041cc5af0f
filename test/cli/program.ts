import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Runs the built package as a user does, in processes of its own.

const ROOT = join(import.meta.dirname, '../..')
export const PROGRAM = join(ROOT, 'bin/run.js')

/** Builds the package if its sources are newer than what was built: `npm ci` has built it on a clean checkout. */
export function build(): void {
  const newest = (patterns: string[]) =>
    Math.max(
      0,
      ...patterns.flatMap((pattern) => globSync(pattern, { cwd: ROOT })).map((file) => statSync(join(ROOT, file)).mtimeMs),
    )
  const manifest = join(ROOT, 'oclif.manifest.json')
  const built = existsSync(manifest) ? newest(['dist/src/cli/**/*.js', 'dist/src/roles/**/*.js']) : 0
  if (built > newest(['src/**/*.ts', 'migrations/**/*.ts'])) return
  const env = { ...process.env, PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH ?? ''}` }
  const { status, stdout } = spawnSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`the build failed:\n${stdout}`)
}

export type Ended = { exit: number | null; stdout: string; stderr: string }

let networkFolder: string | undefined

/** The folder of the one network of a run: the first node that starts makes it, and each invites itself. */
export function testNetwork(): string {
  if (networkFolder !== undefined) return networkFolder
  const folder = mkdtempSync(join(tmpdir(), 'p2pt-network-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  networkFolder = join(folder, 'test')
  return networkFolder
}

/** What a test sets itself, or leaves out. */
const OWN_VARIABLES = ['P2PT_DATA', 'P2PT_BOOTSTRAP', 'P2PT_JOIN', 'P2PT_NETWORK', 'P2PT_OWNER', 'NODE_V8_COVERAGE']

export const environment = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !OWN_VARIABLES.includes(name))),
  P2PT_NETWORK: testNetwork(),
})

export type RunOptions = {
  input?: string
  environment?: NodeJS.ProcessEnv
  /** Killed after this; default 30 s. */
  timeoutMs?: number
  /** File descriptors to write to instead of pipes. */
  stdout?: number
  stderr?: number
  /** All of stdout so far, each time there is more. */
  onOutput?: (stdout: string, child: ChildProcess) => void
  onStart?: (child: ChildProcess) => void
}

/** Runs one command to its end. One that hangs is killed, and has no exit code. */
export function p2pt(words: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const child = spawn(process.execPath, [PROGRAM, ...words], {
    env: { ...environment(), ...options.environment },
    cwd: ROOT,
    timeout: options.timeoutMs ?? 30_000,
    killSignal: 'SIGKILL',
    stdio: ['pipe', options.stdout ?? 'pipe', options.stderr ?? 'pipe'],
  })
  child.stdin?.on('error', () => {}).end(options.input ?? '')
  options.onStart?.(child)
  return ended(child, options.onOutput)
}

/** Runs a script of the package as its users do. */
export function npm(words: readonly string[], options: Pick<RunOptions, 'environment' | 'timeoutMs'> = {}): Promise<Ended> {
  const child = spawn('npm', words, {
    env: { ...environment(), ...options.environment },
    cwd: ROOT,
    timeout: options.timeoutMs ?? 30_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return ended(child)
}

async function ended(child: ChildProcess, onOutput: RunOptions['onOutput'] = () => {}): Promise<Ended> {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    onOutput(stdout, child)
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const exit = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { exit, stdout, stderr }
}

/** A node that runs in a process of its own. */
export type NodeProcess = {
  readonly child: ChildProcess
  /** The first line it printed when it was ready. */
  readonly ready: string
  readonly ended: Promise<Ended>
}

/** Starts a node; resolves when it says that it is ready. @param prefix words in front of its command, of what becomes it */
export async function startNode(
  words: readonly string[],
  variables: NodeJS.ProcessEnv = {},
  prefix: readonly string[] = [],
): Promise<NodeProcess> {
  const env = { ...environment(), ...variables }
  const [command = '', ...rest] = [...prefix, process.execPath, PROGRAM, ...words]
  const child = spawn(command, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const end = ended(child)
  const ready = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (chunk: string) => {
      text += chunk
      const line = text.split('\n').find((one) => /"event":"ready"| is ready at /.test(one))
      if (line !== undefined) resolve(line)
    })
    void end.then(({ exit, stderr }) => reject(new Error(`${words.join(' ')} ended with ${exit}: ${stderr}`)))
  })
  return { child, ready, ended: end }
}
