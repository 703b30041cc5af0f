import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Scripts that make networks in private namespaces (../shared/lab beside the repository). */
export const LAB = join(import.meta.dirname, '../../../shared/lab')

/** Why network namespaces cannot be used here; undefined if they can. */
export function whyNoNamespaces(...tools: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  if (!existsSync(join(LAB, 'netlab.sh'))) return 'there is no ../shared/lab'
  try {
    for (const tool of ['ip', 'nft', 'nsenter', ...tools]) execFileSync('which', [tool], { stdio: 'ignore' })
    return undefined
  } catch {
    return `iproute2, nftables, util-linux${['', ...tools].join(', ')} is missing`
  }
}

export type Laboratory = {
  run(...words: string[]): void
  /** The words in front of a command that runs in this network namespace. */
  inside(name: string): readonly string[]
  down(): void
}

/** A directory for a lab's state, and what builds the lab in it. */
export function laboratory(scriptIn: (state: string) => string, ...words: string[]): Laboratory {
  const state = mkdtempSync(join(tmpdir(), 'p2pt-lab-'))
  const script = scriptIn(state)
  const env = { ...process.env, LAB: join(state, 'lab') }
  const run = (...more: string[]) => void execFileSync(script, more, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  run('up', ...words)
  const anchor = readFileSync(join(env.LAB, 'anchor.pid'), 'utf8').trim()
  return {
    run,
    // Only the network is the host's: the processes stay ours, and their files.
    inside: (name) => ['nsenter', `--net=/proc/${anchor}/root/run/netns/${name}`, '--'],
    down: () => {
      run('down')
      rmSync(state, { recursive: true, force: true })
    },
  }
}
