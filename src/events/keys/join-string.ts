import '../codec/protobuf.ts'

import { Writer } from '../codec/protobuf.ts'
import { p2pt } from '../generated/events.js'
import { GENESIS_BYTES_MAX, INVITATION_BYTES_MAX } from './bounds.ts'
import type { SignedInvitation } from './credential.ts'
import { CredentialError } from './credential-error.ts'
import { fields, printable } from './fields.ts'
import { decodeGenesis, type Genesis, type Sha256 } from './genesis.ts'

// One string to join with: `p2pt:` and, in base64url (RFC 4648), a version byte, the ticket and the first four bytes of the
// SHA-256 of both. It holds the secret of an invitation: whoever reads it can join.

export const JOIN_PREFIX = 'p2pt:'
const VERSION = 1
const CHECKSUM_BYTES = 4
const SEED_BYTES = 32
export const BOOTSTRAPS_MAX = 16
/** Of one: a host name of 255 bytes, a colon, a port. */
export const BOOTSTRAP_BYTES_MAX = 262
const TICKET_BYTES_MAX = 8 * 1024

export type JoinTicket = {
  /** Exact bytes: the network's id is their hash. */
  readonly genesis: Uint8Array
  /** HOST:PORT */
  readonly bootstraps: readonly string[]
  /** Undefined for clients of an open network. */
  readonly invitation: (SignedInvitation & { /** The invitation's secret, 32 bytes. */ readonly seed: Uint8Array }) | undefined
}

export function encodeJoinString({ genesis, bootstraps, invitation }: JoinTicket, sha256: Sha256): string {
  const ticket = p2pt.events.JoinTicket.encode(
    { genesis, bootstraps: [...bootstraps], ...invitation },
    Writer.create(),
  ).finish()
  const payload = new Uint8Array(1 + ticket.length + CHECKSUM_BYTES)
  payload[0] = VERSION
  payload.set(ticket, 1)
  const end = payload.length - CHECKSUM_BYTES
  payload.set(sha256(payload.subarray(0, end)).subarray(0, CHECKSUM_BYTES), end)
  return JOIN_PREFIX + toBase64Url(payload)
}

/**
 * White space within it is ignored: it may have come over several lines of a mail.
 * @throws CredentialError `malformed` (none at all), `newer`, `mistyped` (cut off, or a character is wrong)
 */
export function decodeJoinString(text: string, sha256: Sha256): JoinTicket & { readonly network: Genesis } {
  const compact = text.replace(/\s+/g, '')
  if (!compact.startsWith(JOIN_PREFIX)) throw new CredentialError('malformed', `a join string begins with ${JOIN_PREFIX}`)
  const payload = fromBase64Url(compact.slice(JOIN_PREFIX.length))
  const end = payload.length - CHECKSUM_BYTES
  const checksum = end < 1 ? undefined : sha256(payload.subarray(0, end)).subarray(0, CHECKSUM_BYTES)
  if (checksum === undefined || !checksum.every((byte, index) => byte === payload[end + index]))
    throw new CredentialError('mistyped', 'the join string is cut off or mistyped: its checksum does not fit')
  if (payload[0] !== VERSION)
    throw new CredentialError('newer', `the join string has version ${payload[0]}, this p2pt reads ${VERSION}`)
  const message = fields.message(
    p2pt.events.JoinTicket,
    fields.bytesUpTo(payload.subarray(1, end), TICKET_BYTES_MAX, 'a join string'),
    'a join string',
  )
  const genesis = new Uint8Array(fields.bytesUpTo(message.genesis, GENESIS_BYTES_MAX, 'a genesis record'))
  const bootstraps = fields
    .list(message.bootstraps, BOOTSTRAPS_MAX, 'bootstraps')
    .map((each) => printable(each, BOOTSTRAP_BYTES_MAX, 'a bootstrap'))
  const network = decodeGenesis(genesis)
  if (!message.seed?.length) return { genesis, network, bootstraps, invitation: undefined }
  const invitation = new Uint8Array(fields.bytesUpTo(message.invitation, INVITATION_BYTES_MAX, 'an invitation'))
  const ownerSignature = new Uint8Array(fields.signature(message.ownerSignature))
  return {
    genesis,
    network,
    bootstraps,
    invitation: { invitation, ownerSignature, seed: new Uint8Array(fields.bytes(message.seed, SEED_BYTES, 'a seed')) },
  }
}

const toBase64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

/** Nothing for what is no base64url: the checksum says then that it is mistyped. */
function fromBase64Url(text: string): Uint8Array {
  if (!/^[\w-]*$/.test(text)) return new Uint8Array()
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))
    // The last character may have bits that no byte takes up: another one in its place would pass for it.
    return toBase64Url(bytes) === text ? bytes : new Uint8Array()
  } catch {
    return new Uint8Array()
  }
}
