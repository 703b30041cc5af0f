import { join } from 'node:path'
import type { Hosts } from './hosts.ts'
import { LAB, laboratory } from './laboratory.ts'

export type Homes = Hosts & {
  /** The router of the first home lets TCP connections to this port through to its client. */
  forward(port: number): void
}

/** A bootstrap's port and the one after it belong to it. */
const PUBLIC_PORTS = [4700, 4702, 4704, 4710]
export const HOME_PORT = 4720

/**
 * Three bootstraps and an index node on a public host, and two clients, each in a home network behind a router that lets
 * nothing in which was not asked for. `port`: the router keeps the port of what goes out, so holes can be punched.
 * `random`: it takes a new one for each peer (a symmetric NAT), and they cannot.
 */
export function homes(kind: 'port' | 'random'): Homes {
  const { run, inside, down } = laboratory(() => join(LAB, 'natlab.sh'), kind)
  const first = PUBLIC_PORTS.length
  return {
    count: first + 2,
    // A client listens at any address, as it does by default.
    address: (index) => (index < first ? '198.51.100.1' : '0.0.0.0'),
    port: (index) => PUBLIC_PORTS[index] ?? HOME_PORT,
    prefix: (index) => inside(index < first ? 's' : index === first ? 'a' : 'b'),
    forward: (port) => {
      const nft = (...words: string[]) => run('in', 'ra', 'nft', ...words)
      nft('add chain ip nat forwarded { type nat hook prerouting priority -100; }')
      nft(`add rule ip nat forwarded iifname "pub" tcp dport ${port} dnat to 192.168.1.2`)
      nft(`insert rule ip filter cforward tcp dport ${port} accept`)
    },
    down,
  }
}
