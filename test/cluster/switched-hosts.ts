import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Hosts } from './hosts.ts'
import { LAB, laboratory } from './laboratory.ts'

export type SwitchedHosts = Hosts & {
  /** How each packet fares from now on, between any two hosts: one way, ms and percent. */
  each(way: { delayMs: number; jitterMs: number; lossPercent: number }): void
}

/** Hosts on a switch that runs as a program, and can hold packets back or lose them; made by the C compiler first. */
export function switched(count: number): SwitchedHosts {
  const { run, inside, down } = laboratory((state) => {
    const script = join(state, 'taplab.sh')
    copyFileSync(join(LAB, 'taplab.sh'), script)
    chmodSync(script, 0o755)
    execFileSync('gcc', ['-O2', '-o', join(state, 'tapswitch'), join(LAB, 'tapswitch.c')], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    return script
  }, String(count))
  const each: SwitchedHosts['each'] = ({ delayMs, jitterMs, lossPercent }) =>
    run('ctl', `def ${delayMs} ${jitterMs} ${lossPercent} 0 0`)
  return {
    count,
    address: (index) => `10.78.${Math.floor((index + 1) / 250)}.${(index + 1) % 250}`,
    port: () => 4700,
    prefix: (index) => inside(`n${index + 1}`),
    each,
    down,
  }
}
