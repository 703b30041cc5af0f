import type { EventOf, NodeRole } from './event.ts'
import { hexName } from './hex-names.ts'
import { hostName } from './host-names.ts'
import type { NodeId } from './ids.ts'

// Changes of members are most of what gossip brings. Their payload is read by hand, at a quarter of what the generated
// decoder costs; whatever has another form than ours, or an address that is none, is left to that one.

export type MemberKind = 'member.alive' | 'member.suspect' | 'member.dead' | 'member.refuted' | 'member.left'

const TAG = { subject: 10, incarnation: 16, role: 26, host: 34, port: 40, dhtPort: 48 } as const
const KEY_BYTES = 32

/** Each has a length of its own. */
const ROLES: readonly NodeRole[] = ['bootstrap', 'index', 'client']

/** The change in `bytes[at..end)`, or undefined if it is not of the plain form (or of none). */
export function plainMember<K extends MemberKind>(
  kind: K,
  bytes: Uint8Array,
  at: number,
  end: number,
): EventOf<MemberKind> | undefined {
  const subject = at + 2
  let place = subject + KEY_BYTES
  if (place > end || bytes[at] !== TAG.subject || bytes[at + 1] !== KEY_BYTES) return undefined
  // Numbers of up to four bytes; 0 is left out.
  let incarnation = 0
  if (bytes[place] === TAG.incarnation) {
    place++
    for (let shift = 0, byte = 128; byte > 127; shift += 7) {
      if (shift > 21) return undefined
      byte = bytes[place++] as number
      incarnation |= (byte & 127) << shift
    }
  }
  const role = bytes[place] === TAG.role ? roleIn(bytes, place + 2, bytes[place + 1] as number) : undefined
  if (role === undefined) return undefined
  place += 2 + role.length
  let host: string | undefined = ''
  if (bytes[place] === TAG.host) {
    const length = bytes[place + 1] as number
    host = place + 2 + length > end ? undefined : hostName(bytes, place + 2, length)
    place += 2 + length
  }
  if (host === undefined) return undefined
  let port = 0
  if (bytes[place] === TAG.port) {
    const [first, second, third] = [bytes[place + 1] as number, bytes[place + 2] as number, bytes[place + 3] as number]
    port = portOf(first, second, third)
    place += portBytes(first, second) + 1
  }
  let dhtPort = 0
  if (place < end && bytes[place] === TAG.dhtPort) {
    const [first, second, third] = [bytes[place + 1] as number, bytes[place + 2] as number, bytes[place + 3] as number]
    dhtPort = portOf(first, second, third)
    place += portBytes(first, second) + 1
  }
  if (place !== end || port > 0xffff || dhtPort > 0xffff) return undefined
  // An address has both or neither.
  if ((host === '') !== (port === 0)) return undefined
  return { kind, subject: hexName(bytes, subject, KEY_BYTES) as NodeId, incarnation, role, host, port, dhtPort }
}

/** A number of up to three bytes; more than a port for a longer one. */
const portOf = (first: number, second: number, third: number): number => {
  if (first < 128) return first
  if (second < 128) return (first & 127) | (second << 7)
  return (first & 127) | ((second & 127) << 7) | (third << 14)
}
const portBytes = (first: number, second: number): number => (first < 128 ? 1 : second < 128 ? 2 : 3)

function roleIn(bytes: Uint8Array, at: number, length: number): NodeRole | undefined {
  for (const role of ROLES) {
    if (role.length !== length) continue
    for (let index = 0; index < length; index++) if (bytes[at + index] !== role.charCodeAt(index)) return undefined
    return role
  }
  return undefined
}
