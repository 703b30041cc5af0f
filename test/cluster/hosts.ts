import { join } from 'node:path'
import { freeNodePort } from '../../src/cli/demo/free-ports.ts'
import { LAB, laboratory } from './laboratory.ts'

/** Machines for nodes to run on. */
export interface Hosts {
  readonly count: number
  /** Address of host `index`, from 0. */
  address(index: number): string
  port(index: number): number
  /** The words in front of a command that runs on this host. */
  prefix(index: number): readonly string[]
  down(): void
}

export type BridgedHosts = Hosts & {
  /** The first so many hosts cannot reach the others any more. */
  split(first: number): void
  /** Undoes splits and losses. */
  unsplit(): void
  /** Share of packets lost to and from each host, percent. */
  loss(percent: number): void
}

/** Hosts n1..nN on one bridge, each in a network namespace of its own. */
export function namespaces(count: number): BridgedHosts {
  const { run, inside, down } = laboratory(() => join(LAB, 'netlab.sh'), String(count))
  const names = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `n${from + at + 1}`).join(' ')
  return {
    count,
    address: (index) => `10.77.${Math.floor((index + 1) / 250)}.${(index + 1) % 250}`,
    port: () => 4700,
    prefix: (index) => inside(`n${index + 1}`),
    split: (first) => run('split', names(0, first), names(first, count)),
    unsplit: () => run('unsplit'),
    loss: (percent) => {
      for (let index = 0; index < count; index++) run('loss', `n${index + 1}`, String(percent))
    },
    down,
  }
}

/** All on this machine's loopback, told apart by their ports: no root, but nothing can be cut. */
export async function loopback(count: number): Promise<Hosts> {
  const ports: number[] = []
  for (let index = 0; index < count; index++) ports.push(await freeNodePort())
  return {
    count,
    address: () => '127.0.0.1',
    port: (index) => ports[index] ?? 0,
    prefix: () => [],
    down: () => {},
  }
}
