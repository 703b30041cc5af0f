import type { MemberAddress } from './event.ts'

// Which addresses travel, and which are dialled: this is the only place that says so. The overlay is IPv4 alone, as
// HyperDHT and BEP 5 are, and a host is an address, never a name: looking up a name that a stranger wrote would be a
// datagram of his choice to a server of his choice, and UDX throws at anything that is no address.
//
// - A host is four decimal numbers of 0 to 255 without leading zeros, so that one address has one spelling.
// - It is an address of one machine. Refused are 0.0.0.0/8 ("this network", RFC 1122, which the kernel takes for
//   loopback), multicast 224.0.0.0/4 and the reserved 240.0.0.0/4 with the broadcast address 255.255.255.255.
//   Loopback, private and link-local addresses are as good as any: networks of one machine or one building use them.
// - A port to dial is 1 to 65535: HyperDHT takes 0 for its default port, and UDX throws at it.
// - Who has no address that it knows of says so with an empty host and port 0. `dhtPort` may be 0 beside any host.

const DOT = 46
const ZERO = 48
const FIRST_MIN = 1
const FIRST_MAX = 223
/** Length of the longest address. */
export const IPV4_LENGTH_MAX = 15

/** True if the ASCII in `bytes[start..end)` is an IPv4 address of one machine in its one spelling. */
export function isIpv4In(bytes: Uint8Array, start: number, end: number): boolean {
  const first = firstNumberOf(bytes, start, end)
  return first >= FIRST_MIN && first <= FIRST_MAX
}

/** The first of the four numbers, or -1 if there are not four. */
function firstNumberOf(bytes: Uint8Array, start: number, end: number): number {
  let dots = 0
  let digits = 0
  let number = 0
  let first = 0
  for (let at = start; at < end; at++) {
    const code = bytes[at] as number
    if (code === DOT) {
      if (digits === 0 || dots === 3) return -1
      if (dots === 0) first = number
      dots++
      digits = 0
      number = 0
      continue
    }
    const digit = code - ZERO
    if (digit < 0 || digit > 9 || (digits > 0 && number === 0)) return -1
    number = number * 10 + digit
    digits++
    if (number > 255) return -1
  }
  return dots === 3 && digits > 0 ? first : -1
}

const scratch = new Uint8Array(IPV4_LENGTH_MAX)

/** True if the text is an IPv4 address of one machine in its one spelling. */
export function isIpv4(host: unknown): boolean {
  const first = typeof host === 'string' ? firstNumberIn(host) : -1
  return first >= FIRST_MIN && first <= FIRST_MAX
}

function firstNumberIn(host: string): number {
  if (host.length > IPV4_LENGTH_MAX) return -1
  for (let at = 0; at < host.length; at++) {
    const code = host.charCodeAt(at)
    // Cut to a byte it could look like a digit.
    if (code > 127) return -1
    scratch[at] = code
  }
  return firstNumberOf(scratch, 0, host.length)
}

const isPort = (port: unknown): boolean => Number.isInteger(port) && (port as number) >= 0 && (port as number) <= 0xffff
export const isDialablePort = (port: unknown): boolean => port !== 0 && isPort(port)

/** True if a datagram can be sent there. */
export const isDialable = (address: { host?: unknown; port?: unknown } | null | undefined): boolean =>
  address != null && isIpv4(address.host) && isDialablePort(address.port)

/** What a member says that does not know where it can be dialled, and what is believed of one that said nonsense. */
export const NO_ADDRESS: MemberAddress = { host: '', port: 0, dhtPort: 0 }

/** True for an address that can be dialled, and for none at all. */
export const isMemberAddress = ({ host, port, dhtPort }: MemberAddress): boolean =>
  isPort(dhtPort) && (host === '' ? port === 0 : isDialable({ host, port }))

const HEX_GROUP = /^[0-9a-f]{1,4}$/

/** True for IPv4 of one machine, and for IPv6 in lower case without a zone: BitTorrent peers have either. */
export function isIpAddress(text: string): boolean {
  if (isIpv4(text)) return true
  if (text.length > 45 || !text.includes(':')) return false
  const halves = text.split('::')
  if (halves.length > 2) return false
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  // The last 32 bits may be written as IPv4 (RFC 4291, section 2.2).
  const last = groups.at(-1)
  if (last?.includes('.')) {
    if (firstNumberIn(last) < 0 || text.endsWith('::')) return false
    groups.splice(-1, 1, '0', '0')
  }
  if (!groups.every((group) => HEX_GROUP.test(group))) return false
  return halves.length === 2 ? groups.length < 8 : groups.length === 8
}
