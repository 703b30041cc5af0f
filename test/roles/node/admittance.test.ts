import assert from 'node:assert/strict'
import {
  admit,
  type Event,
  type EventKind,
  encodeGenesis,
  type Invitation,
  KINDS,
  type Lamport,
  type Millis,
  type NodeId,
  networkIdOf,
  signInvitation,
  signRevocation,
} from '../../../src/events/index.ts'
import { sha256, signerFromSeed, verifierOf } from '../../../src/events/keys/signer.sodium.ts'
import { type AdmissionsState, admissionsProjection } from '../../../src/projections/index.ts'
import { Admittance, SHOWN_MAX } from '../../../src/roles/node/admittance.ts'
import { invitationOf, isFault } from '../../events/keys/keys-fixture.ts'
import { EnvelopeMaker, foldAll, node as nodeNamed } from '../../projections/envelopes.ts'

const CREATED = 1_700_000_000_000
const DAY = 86_400_000
const seedOf = (number: number) => new Uint8Array(32).fill(number)

/** A network with its owner, as one node of it sees it; the clock stands until it is moved. */
function networkOf({ open = false } = {}) {
  const owner = signerFromSeed(seedOf(200), networkIdOf(new Uint8Array(), sha256)).id
  const genesis = encodeGenesis({ name: 'herbs', owner, createdAt: CREATED as Millis, open, nonce: new Uint8Array(16) })
  const network = networkIdOf(genesis, sha256)
  const keyOf = (number: number) => signerFromSeed(seedOf(number), network)
  const verify = verifierOf(network)
  const clock = { at: CREATED + DAY, now: () => clock.at as Millis }
  const projection = admissionsProjection(owner, verify)
  const maker = new EnvelopeMaker()
  let admissions: AdmissionsState = projection.initial()
  const credentialOf = (node: NodeId, key: number, more: Partial<Invitation> = {}) =>
    admit(node, signInvitation(invitationOf(key, more), keyOf(200)), keyOf(key))
  const admittanceWith = (credential: Uint8Array) =>
    new Admittance({
      joined: { network, genesis, credential, bootstraps: [] },
      ...{ verify, clock },
      admissions: () => admissions,
    })
  return {
    ...{ clock, keyOf, credentialOf, admittanceWith, admittance: admittanceWith(new Uint8Array()) },
    tell(by: NodeId, event: Event) {
      admissions = foldAll(projection, [maker.make(by, event)], admissions)
    },
    revocationOf: (key: NodeId): Event => ({
      kind: 'access.revoked',
      ...signRevocation({ key, at: clock.at as Millis, reason: '' }, keyOf(200)),
    }),
  }
}

const header = (author: NodeId, kind: EventKind, at = CREATED + DAY) => ({
  ...{ author, at: at as Millis, kind: KINDS[kind].number, stream: KINDS[kind].stream },
  lamport: 1 as Lamport,
})

describe('admittance', () => {
  it('lets in whom an invitation admits, and tells every other why not', () => {
    const { admittance, clock, credentialOf, keyOf, revocationOf, tell } = networkOf()
    const [ada, bob] = [keyOf(1).id, keyOf(2).id]
    const good = credentialOf(ada, 10)
    assert.equal(admittance.refusal(ada, good), undefined)
    assert.equal(admittance.refusal(ada, new Uint8Array()), 'missing')
    assert.equal(admittance.refusal(bob, good), 'forged')
    assert.equal(admittance.refusal(ada, new Uint8Array([1, 2, 3])), 'malformed')
    assert.equal(admittance.refusal(ada, new Uint8Array(64 * 1024)), 'malformed')
    const short = credentialOf(ada, 11, { expiresAt: (clock.at + 1) as Millis })
    assert.equal(admittance.refusal(ada, short), undefined)
    clock.at += 1
    assert.equal(admittance.refusal(ada, short), 'expired')
    tell(bob, revocationOf(keyOf(10).id))
    assert.equal(admittance.refusal(ada, good), 'revoked')
    assert.equal(admittance.refusal(ada, credentialOf(ada, 12)), undefined, 'a new invitation')
    tell(bob, revocationOf(ada))
    for (const key of [10, 12, 13]) assert.equal(admittance.refusal(ada, credentialOf(ada, key)), 'revoked')
    assert.equal(admittance.refusal(ada, new Uint8Array()), 'revoked')
  })

  it('of an open network lets clients in without an invitation, and never members', () => {
    const { admittance, credentialOf, keyOf, revocationOf, tell } = networkOf({ open: true })
    const [ada, bob] = [keyOf(1).id, keyOf(2).id]
    assert.equal(admittance.refusal(ada, new Uint8Array()), undefined)
    assert.equal(admittance.standingOf(ada), 'client')
    assert.equal(admittance.mayBe(ada, 'client'), true)
    for (const role of ['index', 'bootstrap'] as const) assert.equal(admittance.mayBe(ada, role), false)
    assert.equal(admittance.judge(header(ada, 'piece.judged'), undefined), 'take')
    assert.equal(admittance.judge(header(ada, 'member.alive'), undefined), 'refuse')
    assert.equal(admittance.refusal(bob, credentialOf(bob, 10, { role: 'member' })), undefined)
    for (const role of ['index', 'bootstrap'] as const) assert.equal(admittance.mayBe(bob, role), true)
    assert.equal(admittance.mayBe(bob, 'client'), false)
    assert.equal(admittance.own(ada, 'client'), undefined)
    assert.throws(() => admittance.own(ada, 'index'), isFault('missing'))
    tell(bob, revocationOf(ada))
    assert.equal(admittance.refusal(ada, new Uint8Array()), 'revoked')
    assert.equal(admittance.standingOf(ada), undefined)
    // One that came by an invitation which was revoked does not come back without any.
    const eve = keyOf(3).id
    tell(eve, { kind: 'node.admitted', credential: credentialOf(eve, 11) })
    tell(bob, revocationOf(keyOf(11).id))
    assert.equal(admittance.refusal(eve, new Uint8Array()), 'revoked')
    assert.equal(admittance.standingOf(eve), undefined)
  })

  it('holds a node to its role, by its own credential, before it starts', () => {
    const { admittanceWith, clock, credentialOf, keyOf, revocationOf, tell } = networkOf()
    const self = keyOf(1).id
    const own = (credential: Uint8Array) => admittanceWith(credential)
    const expiresAt = (clock.at + DAY) as Millis
    assert.equal(own(credentialOf(self, 10)).own(self, 'client')?.name, 'guest')
    assert.throws(() => own(credentialOf(self, 10)).own(self, 'index'), isFault('role'))
    const member = credentialOf(self, 11, { role: 'member', expiresAt })
    for (const role of ['index', 'bootstrap'] as const) assert.equal(own(member).own(self, role)?.role, 'member')
    assert.throws(() => own(member).own(self, 'client'), isFault('role'))
    assert.throws(() => own(new Uint8Array()).own(self, 'client'), isFault('missing'))
    assert.throws(() => own(credentialOf(keyOf(2).id, 10)).own(self, 'client'), isFault('forged'))
    clock.at += DAY
    assert.throws(() => own(member).own(self, 'index'), isFault('expired'))
    tell(self, revocationOf(self))
    assert.throws(() => own(credentialOf(self, 10)).own(self, 'client'), isFault('revoked'))
  })

  it('takes events of whom it knows to be admitted, waits for those it does not know, and refuses the rest', () => {
    const { admittance, clock, credentialOf, keyOf, revocationOf, tell } = networkOf()
    const [ada, bob, eve] = [keyOf(1).id, keyOf(2).id, keyOf(3).id]
    assert.equal(admittance.judge(header(ada, 'piece.judged'), undefined), 'defer')
    assert.equal(admittance.judge(header(ada, 'node.admitted'), credentialOf(bob, 10)), 'refuse')
    assert.equal(admittance.judge(header(ada, 'node.admitted'), new Uint8Array()), 'refuse')
    assert.equal(admittance.judge(header(ada, 'node.admitted'), credentialOf(ada, 10)), 'take')
    // What was shown counts before it is in the log.
    assert.equal(admittance.judge(header(ada, 'piece.judged'), undefined), 'take')
    assert.equal(admittance.judge(header(ada, 'torrent.published'), undefined), 'defer', 'others must know who answers for it')
    tell(ada, { kind: 'node.admitted', credential: credentialOf(ada, 10) })
    for (const kind of ['piece.judged', 'torrent.published', 'access.revoked'] as const)
      assert.equal(admittance.judge(header(ada, kind), undefined), 'take', kind)
    const memberKinds = ['member.alive', 'member.suspect', 'member.dead', 'member.refuted', 'member.left'] as const
    for (const kind of memberKinds) assert.equal(admittance.judge(header(ada, kind), undefined), 'refuse', kind)
    tell(bob, {
      kind: 'node.admitted',
      credential: credentialOf(bob, 11, { role: 'member', expiresAt: (clock.at + 5) as Millis }),
    })
    for (const kind of memberKinds) assert.equal(admittance.judge(header(bob, kind), undefined), 'take', kind)
    // Held against the time of the event: what it said while it was admitted is taken later, too.
    clock.at += DAY
    assert.equal(admittance.judge(header(bob, 'member.alive', CREATED + DAY + 4), undefined), 'take')
    assert.equal(admittance.judge(header(bob, 'member.alive', CREATED + DAY + 5), undefined), 'refuse')
    tell(eve, revocationOf(keyOf(10).id))
    assert.equal(admittance.isRevoked(ada), true)
    assert.equal(admittance.judge(header(ada, 'piece.judged'), undefined), 'refuse')
    assert.equal(admittance.judge(header(ada, 'node.admitted'), credentialOf(ada, 10)), 'refuse')
    assert.equal(
      admittance.judge({ ...header(bob, 'member.alive', CREATED + 1), kind: 60_000 }, undefined),
      'take',
      'a later kind',
    )
  })

  it('takes the word of a node again that was invited anew after its invitation was revoked', () => {
    const { admittance, credentialOf, keyOf, revocationOf, tell } = networkOf()
    const ada = keyOf(1).id
    tell(ada, { kind: 'node.admitted', credential: credentialOf(ada, 10) })
    tell(ada, revocationOf(keyOf(10).id))
    assert.equal(admittance.standingOf(ada), undefined)
    assert.equal(admittance.judge(header(ada, 'node.admitted'), credentialOf(ada, 10)), 'refuse', 'the same again')
    const renewed = credentialOf(ada, 11)
    assert.equal(admittance.refusal(ada, renewed), undefined)
    assert.equal(admittance.standingOf(ada), 'client')
    assert.equal(admittance.judge(header(ada, 'node.admitted'), renewed), 'take')
    assert.equal(admittance.isRevoked(ada), false)
    assert.equal(admittance.judge(header(ada, 'piece.judged'), undefined), 'take')
  })

  it('remembers so many shown credentials that are in no event yet, and forgets the one shown longest ago', () => {
    const { admittance, credentialOf, keyOf } = networkOf()
    const ids = Array.from({ length: SHOWN_MAX + 1 }, (_, index) => nodeNamed(`${index}`))
    for (const id of ids) assert.equal(admittance.refusal(id, credentialOf(id, 10)), undefined)
    const [first, second] = ids
    assert.equal(admittance.standingOf(first ?? keyOf(1).id), undefined)
    assert.equal(admittance.standingOf(second ?? keyOf(1).id), 'client')
    assert.equal(admittance.standingOf(ids.at(-1) ?? keyOf(1).id), 'client')
  }).timeout(60_000)

  it('bounds stamps by the time since the network was made, with an hour to spare for clocks that differ', () => {
    const { admittance, clock } = networkOf()
    clock.at = CREATED
    assert.equal(admittance.lamportMax(), 3_600 * 2 ** 16)
    clock.at = CREATED - DAY
    assert.equal(admittance.lamportMax(), 3_600 * 2 ** 16, 'a day slow: as at the beginning')
    clock.at = CREATED + DAY
    assert.equal(admittance.lamportMax(), (86_400 + 3_600) * 2 ** 16)
  })

  it('works with a clock a day off, save for invitations that expire within that day', () => {
    for (const off of [-DAY, DAY]) {
      const { admittance, clock, credentialOf, keyOf } = networkOf()
      const ada = keyOf(1).id
      const trueNow = clock.at
      clock.at += off
      assert.equal(admittance.refusal(ada, credentialOf(ada, 10, { issuedAt: trueNow as Millis })), undefined)
      const month = credentialOf(ada, 11, { issuedAt: trueNow as Millis, expiresAt: (trueNow + 30 * DAY) as Millis })
      assert.equal(admittance.refusal(ada, month), undefined)
      for (const at of [trueNow - DAY, trueNow, trueNow + DAY])
        assert.equal(admittance.judge(header(ada, 'piece.judged', at), undefined), 'take')
      const hour = credentialOf(ada, 12, { expiresAt: (trueNow + DAY / 24) as Millis })
      assert.equal(admittance.refusal(ada, hour), off > 0 ? 'expired' : undefined)
    }
  })
})
