import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freeNodePort } from '../../src/cli/demo/free-ports.ts'

/** Machines for nodes to run on, as the lab makes them (../shared/lab beside the repository). */
export interface Hosts {
  readonly count: number
  /** Address of host `index`, from 0. */
  address(index: number): string
  port(index: number): number
  /** The words in front of a command that runs on this host. */
  prefix(index: number): readonly string[]
  /** The first so many hosts cannot reach the others any more. */
  split(first: number): void
  unsplit(): void
  /** Share of packets lost to and from each host, percent. */
  loss(percent: number): void
  down(): void
}

const LAB = join(import.meta.dirname, '../../../shared/lab')

/** Why network namespaces cannot be used here; undefined if they can. */
export function whyNoNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  if (!existsSync(join(LAB, 'netlab.sh'))) return 'there is no ../shared/lab'
  try {
    for (const tool of ['ip', 'nft', 'nsenter']) execFileSync('which', [tool], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'iproute2, nftables or util-linux is missing'
  }
}

/** Hosts n1..nN on one bridge, each in a network namespace of its own. */
export function namespaces(count: number): Hosts {
  const state = mkdtempSync(join(tmpdir(), 'p2pt-netlab-'))
  const lab = (...words: string[]) =>
    execFileSync(join(LAB, 'netlab.sh'), words, { env: { ...process.env, LAB: state }, stdio: ['ignore', 'pipe', 'inherit'] })
  lab('up', String(count))
  const anchor = readFileSync(join(state, 'anchor.pid'), 'utf8').trim()
  const names = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `n${from + at + 1}`).join(' ')
  return {
    count,
    address: (index) => `10.77.${Math.floor((index + 1) / 250)}.${(index + 1) % 250}`,
    port: () => 4700,
    // Only the network is the host's: the processes stay ours, and their files.
    prefix: (index) => ['nsenter', `--net=/proc/${anchor}/root/run/netns/n${index + 1}`, '--'],
    split: (first) => void lab('split', names(0, first), names(first, count)),
    unsplit: () => void lab('unsplit'),
    loss: (percent) => {
      for (let index = 0; index < count; index++) lab('loss', `n${index + 1}`, String(percent))
    },
    down: () => {
      lab('down')
      rmSync(state, { recursive: true, force: true })
    },
  }
}

/** All on this machine's loopback, told apart by their ports: no root, but nothing can be cut. */
export async function loopback(count: number): Promise<Hosts> {
  const ports: number[] = []
  for (let index = 0; index < count; index++) ports.push(await freeNodePort())
  const no = () => {
    throw new Error('loopback cannot be cut')
  }
  return {
    count,
    address: () => '127.0.0.1',
    port: (index) => ports[index] ?? 0,
    prefix: () => [],
    split: no,
    unsplit: no,
    loss: no,
    down: () => {},
  }
}
