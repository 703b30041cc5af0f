import { spawn } from 'node:child_process'
import { delimiter, join, resolve as resolvePath } from 'node:path'

export type Ended = { readonly code: number | null; readonly isLate: boolean; readonly output: string }

const OUTPUT_LENGTH_MAX = 20_000

/**
 * Runs a program, of node_modules/.bin unless its whole path is given, in a copy of the tree, in a process group of its own: what it leaves behind when the
 * time is over, or the run is stopped, is ended with it.
 */
export function command(
  root: string,
  name: string,
  args: readonly string[],
  { limitMs, signal }: { limitMs: number; signal: AbortSignal },
): Promise<Ended> {
  const bin = join(root, 'node_modules/.bin')
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`, FORCE_COLOR: '0' }
  const child = spawn(resolvePath(bin, name), args, { cwd: root, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // Gone by itself.
    }
  }
  let output = ''
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-OUTPUT_LENGTH_MAX)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    end()
  }, limitMs)
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    // Not `close`: a process that a test left behind keeps the pipes open.
    child.once('exit', (code) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      end()
      resolve({ code, isLate, output })
    })
  })
}
