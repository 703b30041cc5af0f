import assert from 'node:assert/strict'
import {
  encodeGenesis,
  encodeJoinString,
  type Invitation,
  type JoinTicket,
  type Millis,
  networkIdOf,
  readCredential,
  signInvitation,
} from '../../../src/events/index.ts'
import { keyOfSeed, sha256, signerFromSeed, verifierOf } from '../../../src/events/keys/signer.sodium.ts'
import { joiningFrom } from '../../../src/roles/owner/joining.ts'

const NOW = 1_700_000_000_000 as Millis
const DAY = 86_400_000
const seedOf = (number: number) => new Uint8Array(32).fill(number)
const genesisOf = (open: boolean) =>
  encodeGenesis({ name: 'herbs', owner: keyOfSeed(seedOf(1)), createdAt: NOW, open, nonce: new Uint8Array(16) })

function stringOf(more: Partial<Invitation> = {}, { open = false, by = 1, seed = 5, bare = false } = {}): string {
  const genesis = genesisOf(open)
  const owner = signerFromSeed(seedOf(by), networkIdOf(genesis, sha256))
  const role = 'client'
  const made = {
    key: keyOfSeed(seedOf(5)),
    role,
    name: '',
    issuedAt: NOW,
    expiresAt: 0 as Millis,
    ...more,
  } as const
  const invitation: JoinTicket['invitation'] = bare ? undefined : { ...signInvitation(made, owner), seed: seedOf(seed) }
  return encodeJoinString({ genesis, bootstraps: ['192.0.2.10:4000'], invitation }, sha256)
}
const saying = (message: RegExp) => ({ name: 'ServiceError', code: 'usage', message })

describe('joining by a string', () => {
  it('signs the key of the node with that of the invitation, for as many nodes as come', () => {
    const joining = joiningFrom(stringOf({ role: 'member', name: 'Graz' }), 'index', NOW)
    assert.deepEqual(joining.bootstraps, ['192.0.2.10:4000'])
    const network = networkIdOf(joining.genesis, sha256)
    for (const number of [7, 8]) {
      const node = keyOfSeed(seedOf(number))
      const invitation = readCredential(joining.credentialOf(node), node, keyOfSeed(seedOf(1)), verifierOf(network))
      assert.equal(invitation.name, 'Graz')
    }
    assert.ok(joiningFrom(stringOf({ role: 'member' }), 'bootstrap', NOW))
    const open = joiningFrom(stringOf({}, { open: true, bare: true }), 'client', NOW)
    assert.equal(open.credentialOf(keyOfSeed(seedOf(7))).length, 0)
  })

  it('says of each string that is no good what is wrong with it, and what to do', () => {
    const good = stringOf()
    const cases: readonly [text: string, role: 'client' | 'index', message: RegExp][] = [
      [
        good,
        'index',
        /^the join string is for clients of the network "herbs", and a node of role index is a member: ask its owner .*--role member/,
      ],
      [
        stringOf({ role: 'member' }),
        'client',
        /^the join string is for members of the network "herbs", and a node of role client is a client: ask its owner .*--role client/,
      ],
      [
        stringOf({ expiresAt: NOW }),
        'client',
        /^the invitation in the join string for the network "herbs" has expired: ask its owner/,
      ],
      [
        stringOf({}, { by: 2 }),
        'client',
        /^the invitation in the join string was not made by the owner of the network "herbs"/,
      ],
      [stringOf({}, { seed: 6 }), 'client', /^the invitation in the join string was not made by the owner/],
      [
        stringOf({}, { bare: true }),
        'client',
        /^the join string has no invitation to the network "herbs" in it, and a node of role client needs one/,
      ],
      [
        stringOf({}, { open: true, bare: true }),
        'index',
        /^the join string is for clients of the network "herbs", and a node of role index is a member/,
      ],
      [
        `${good.slice(0, -1)}`,
        'client',
        /^the join string is cut off or mistyped, its checksum does not fit: copy it again as a whole, it begins with p2pt:/,
      ],
      ['magnet:?xt=1', 'client', /^this is no join string: copy it again as a whole, it begins with p2pt:/],
    ]
    for (const [text, role, message] of cases) assert.throws(() => joiningFrom(text, role, NOW), saying(message))
    const payload = Buffer.from(good.slice(5), 'base64url').subarray(0, -4)
    payload[0] = 2
    const newer = `p2pt:${Buffer.concat([payload, sha256(payload).subarray(0, 4)]).toString('base64url')}`
    assert.throws(
      () => joiningFrom(newer, 'client', NOW),
      saying(/^the join string was made by a newer p2pt: use that version$/),
    )
  })

  it('works with a clock a day off, unless the string expires within that day', () => {
    for (const off of [-DAY, 0, DAY])
      assert.ok(joiningFrom(stringOf({ expiresAt: (NOW + 2 * DAY) as Millis }), 'client', (NOW + off) as Millis))
    assert.throws(
      () => joiningFrom(stringOf({ expiresAt: (NOW + DAY) as Millis }), 'client', (NOW + DAY) as Millis),
      saying(/has expired/),
    )
  })
})
