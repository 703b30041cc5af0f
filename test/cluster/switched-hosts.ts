import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Hosts } from './hosts.ts'
import { LAB, laboratory } from './laboratory.ts'

export type SwitchedHosts = Hosts & {
  /** How each packet fares from now on, between any two hosts: one way, ms and percent. */
  each(way: { delayMs: number; jitterMs: number; lossPercent: number }): void
}

/** Hosts on a switch that runs as a program, and can hold packets back or lose them; made by the C compiler first. */
export function switched(count: number): SwitchedHosts {
  let directory = ''
  const { run, inside, down } = laboratory((state) => {
    directory = state
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
  const address = (index: number) => `10.78.${Math.floor((index + 1) / 250)}.${(index + 1) % 250}`
  knowEachOther()
  return {
    count,
    address,
    port: () => 4700,
    prefix: (index) => inside(`n${index + 1}`),
    each,
    down,
  }

  /**
   * All namespaces of a machine share one table of neighbours, of 1,024 that were asked for: above 32 hosts the later ones
   * would reach nobody. Neighbours that are given do not count.
   */
  function knowEachOther(): void {
    const hex = (index: number) => index.toString(16).padStart(2, '0')
    const lines = Array.from(
      { length: count },
      (_, index) =>
        `neigh add ${address(index)} lladdr 02:70:00:00:${hex(index >> 8)}:${hex(index & 255)} dev eth0 nud permanent`,
    )
    const batch = join(directory, 'neighbours')
    writeFileSync(batch, `${lines.join('\n')}\n`)
    for (let index = 0; index < count; index++) run('in', `n${index + 1}`, 'ip', '-force', '-batch', batch)
  }
}
