import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Not the name a user's network has: its containers may clash with theirs, its volumes never do. */
const PROJECT = 'p2pt-test'
const ROOT = join(import.meta.dirname, '../..')
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024

/** What a command said on stdout. @throws Error with everything it said, if it fails or takes longer than `msMax` */
export async function say(command: string, args: readonly string[], msMax = 60_000): Promise<string> {
  try {
    const options = { cwd: ROOT, timeout: msMax, killSignal: 'SIGKILL', maxBuffer: OUTPUT_BYTES_MAX } as const
    return (await run(command, args, options)).stdout
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string }
    throw new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`.trim(), { cause })
  }
}

export const docker = (args: readonly string[], msMax?: number) => say('docker', args, msMax)
export const compose = (args: readonly string[], msMax?: number) => docker(['compose', '-p', PROJECT, ...args], msMax)

/** Why the tier cannot run on this machine; undefined where it can. */
export async function whatIsMissing(): Promise<string | undefined> {
  for (const [what, command, args] of [
    ['a Docker engine', 'docker', ['info']],
    ['docker compose', 'docker', ['compose', 'version']],
    ['tmux', 'tmux', ['-V']],
  ] as const) {
    const isThere = await say(command, args, 20_000).then(
      () => true,
      () => false,
    )
    if (!isThere) return what
  }
  return undefined
}

/** `p2pt ARGS --json` in a running container, as its user would type it; the last line of what it says. */
export async function p2pt<T>(container: string, args: readonly string[], msMax?: number): Promise<T> {
  const said = await docker(['exec', container, 'node', '/app/bin/run.js', ...args, '--json'], msMax)
  return JSON.parse(said.trim().split('\n').at(-1) ?? '') as T
}

export async function sha256(container: string, path: string): Promise<string> {
  return (await docker(['exec', container, 'sha256sum', path])).slice(0, 64)
}

export type ContainerState = { name: string; status: string; health: string; exitCode: number }

/** Every container of the test's network, running or not. */
export async function containers(): Promise<ContainerState[]> {
  const ids = (await compose(['ps', '--all', '--quiet'])).split('\n').filter((id) => id !== '')
  if (ids.length === 0) return []
  const states = JSON.parse(await docker(['inspect', ...ids])) as {
    Name: string
    State: { Status: string; ExitCode: number; Health?: { Status: string } }
  }[]
  return states.map(({ Name, State }) => ({
    name: Name.replace(/^\//, ''),
    status: State.Status,
    health: State.Health?.Status ?? 'none',
    exitCode: State.ExitCode,
  }))
}

/** Asks until it answers with something, or `msMax` is over. @throws Error with the last refusal */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>, msMax: number): Promise<T> {
  const deadline = performance.now() + msMax
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > deadline) throw new Error(`${what}: not after ${msMax / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}
