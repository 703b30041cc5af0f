import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  BOOTSTRAPS_MAX,
  CredentialError,
  decodeJoinString,
  encodeJoinString,
  GENESIS_BYTES_MAX,
  INVITATION_BYTES_MAX,
  JOIN_PREFIX,
  type JoinTicket,
  signInvitation,
} from '../../../src/events/index.ts'
import { sha256 } from '../../../src/events/keys/signer.sodium.ts'
import { TEST_GENESIS, TEST_OWNER } from '../test-network.ts'
import { invitationOf, isFault } from './keys-fixture.ts'

const SEED = new Uint8Array(32).fill(5)
const TICKET: JoinTicket = {
  genesis: new Uint8Array(TEST_GENESIS),
  bootstraps: ['192.0.2.10:4000', 'boot.example.org:4700'],
  invitation: { ...signInvitation(invitationOf(5), TEST_OWNER), seed: SEED },
}
const encode = (more: Partial<JoinTicket> = {}): string => encodeJoinString({ ...TICKET, ...more }, sha256)
const decode = (text: string) => decodeJoinString(text, sha256)
const bytesOf = (bytes: Uint8Array | undefined): number[] => [...(bytes ?? [])]

const isRefused = (text: string): void =>
  assert.throws(
    () => decode(text),
    (error) => error instanceof CredentialError && ['mistyped', 'malformed'].includes(error.code),
    text,
  )

/** With another payload, and the checksum that fits it. */
function resealed(change: (payload: Buffer) => Uint8Array): string {
  const payload = change(Buffer.from(encode().slice(JOIN_PREFIX.length), 'base64url').subarray(0, -4))
  return JOIN_PREFIX + Buffer.concat([payload, sha256(payload).subarray(0, 4)]).toString('base64url')
}

describe('a join string', () => {
  it('gives back what it was made of, with any white space in it', () => {
    for (const text of [encode(), ` ${encode()}\n`, encode().replace(/(.{40})/g, '$1\r\n  ')]) {
      const { genesis, network, bootstraps, invitation } = decode(text)
      assert.deepEqual(bytesOf(genesis), bytesOf(TICKET.genesis))
      assert.equal(network.name, 'test')
      assert.deepEqual(bootstraps, TICKET.bootstraps)
      assert.deepEqual(bytesOf(invitation?.seed), bytesOf(SEED))
      assert.deepEqual(bytesOf(invitation?.invitation), bytesOf(TICKET.invitation?.invitation))
      assert.deepEqual(bytesOf(invitation?.ownerSignature), bytesOf(TICKET.invitation?.ownerSignature))
    }
    assert.match(encode(), /^p2pt:[\w-]+$/)
    assert.equal(decode(encode({ invitation: undefined })).invitation, undefined)
  })

  it('with another character at any place is told from a good one', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    // Strings of each length modulo four: their last character has bits that mean nothing.
    for (const host of ['a', 'ab', 'abc', 'abcd']) {
      const text = encode({ bootstraps: [`${host}:1`] })
      for (let at = 0; at < text.length; at++) {
        const characters = at > text.length - 6 ? alphabet : `${alphabet[at % 64]}+/=ä\u0000`
        for (const character of characters)
          if (character !== text[at]) isRefused(text.slice(0, at) + character + text.slice(at + 1))
      }
    }
  })

  it('that was cut, or has something more or less at any place, is told from a good one', () => {
    const text = encode()
    for (let length = 0; length < text.length; length++) {
      isRefused(text.slice(0, length))
      isRefused(text.slice(0, length) + text.slice(length + 1))
      isRefused(`${text.slice(0, length)}x${text.slice(length)}`)
    }
    isRefused(`${text}A`)
    isRefused(text + text)
  })

  it('that is something else altogether is refused', () => {
    for (const text of ['', 'p2pt:', 'p2pt:AAAA', 'magnet:?xt=urn:btih:00', 'p2pt://example.org', 'P2PT:AA']) isRefused(text)
    fc.assert(fc.property(fc.string(), (text) => isRefused(text)))
    fc.assert(fc.property(fc.base64String(), (text) => isRefused(JOIN_PREFIX + text)))
  })

  it('of a later version says so', () => {
    const later = resealed((payload) => {
      payload[0] = 2
      return payload
    })
    assert.throws(() => decode(later), isFault('newer'))
  })

  it('has bounds that hold under a good checksum as well', () => {
    const host = (length: number): string => 'h'.repeat(length)
    assert.equal(decode(encode({ bootstraps: Array.from({ length: BOOTSTRAPS_MAX }, () => host(262)) })).bootstraps.length, 16)
    const invitation = TICKET.invitation ?? assert.fail()
    const bad: readonly Partial<JoinTicket>[] = [
      { bootstraps: Array.from({ length: BOOTSTRAPS_MAX + 1 }, () => 'a:1') },
      { bootstraps: [host(263)] },
      { bootstraps: ['a\nb:1'] },
      { genesis: new Uint8Array(GENESIS_BYTES_MAX + 1) },
      { genesis: new Uint8Array([1, 2, 3]) },
      { genesis: new Uint8Array() },
      { invitation: { ...invitation, invitation: new Uint8Array(INVITATION_BYTES_MAX + 1) } },
      { invitation: { ...invitation, ownerSignature: new Uint8Array(63) } },
      { invitation: { ...invitation, seed: new Uint8Array(31) } },
      { invitation: { ...invitation, seed: new Uint8Array(33) } },
    ]
    for (const [index, more] of bad.entries()) assert.throws(() => decode(encode(more)), isFault('malformed'), `case ${index}`)
    const long = resealed((payload) => Buffer.concat([payload, new Uint8Array(8 * 1024)]))
    assert.throws(() => decode(long), isFault('malformed'))
  })

  it('says what is wrong with it', () => {
    const refusal = (code: string, message: string) => ({ name: 'CredentialError', code, message })
    const invitation = TICKET.invitation ?? assert.fail()
    const mistyped = refusal('mistyped', 'the join string is cut off or mistyped: its checksum does not fit')
    for (const text of ['p2pt:', 'p2pt:AAAA', 'p2pt:AAAAA', 'p2pt:!', `${encode()}!`, `p2pt:!${encode().slice(5)}`])
      assert.throws(() => decode(text), mistyped, text)
    // The checksum of nothing at all fits, but there is no version in front of it.
    const nothing = sha256(new Uint8Array()).subarray(0, 4)
    assert.throws(() => decode(JOIN_PREFIX + Buffer.from(nothing).toString('base64url')), mistyped)
    assert.throws(() => decode('magnet:?'), refusal('malformed', 'a join string begins with p2pt:'))
    const later = resealed((payload) => payload.fill(2, 0, 1))
    assert.throws(() => decode(later), refusal('newer', 'the join string has version 2, this p2pt reads 1'))
    const empty = resealed(() => Uint8Array.of(1))
    assert.throws(() => decode(empty), refusal('malformed', "an owner's key must have 32 bytes"))
    const broken = resealed(() => Uint8Array.of(1, 255))
    assert.throws(() => decode(broken), refusal('malformed', 'a join string cannot be read'))
    const long = resealed((payload) => Buffer.concat([payload, new Uint8Array(8 * 1024)]))
    assert.throws(() => decode(long), refusal('malformed', 'a join string has more than 8192 bytes'))
    const bad: readonly [Partial<JoinTicket>, string][] = [
      [{ bootstraps: Array.from({ length: BOOTSTRAPS_MAX + 1 }, () => 'a:1') }, 'more than 16 bootstraps'],
      [{ bootstraps: ['a\nb:1'] }, 'a bootstrap has control characters'],
      [{ genesis: new Uint8Array(GENESIS_BYTES_MAX + 1) }, 'a genesis record has more than 256 bytes'],
      [
        { invitation: { ...invitation, invitation: new Uint8Array(INVITATION_BYTES_MAX + 1) } },
        `an invitation has more than ${INVITATION_BYTES_MAX} bytes`,
      ],
      [{ invitation: { ...invitation, seed: new Uint8Array(31) } }, 'a seed must have 32 bytes'],
    ]
    for (const [more, message] of bad) assert.throws(() => decode(encode(more)), refusal('malformed', message))
  })
})
