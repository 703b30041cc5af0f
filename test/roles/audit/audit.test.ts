import assert from 'node:assert/strict'
import type { PeerId } from '../../../src/events/index.ts'
import { signRevocation } from '../../../src/events/index.ts'
import { reputationProjection } from '../../../src/projections/reputation/index.ts'
import { newSha256 } from '../../../src/projections/sha256.system.ts'
import { digestRows } from '../../../src/projections/sha256.ts'
import { AUDIT_EVENTS_MAX, type AuditBundle } from '../../../src/roles/audit/audit-bundle.ts'
import { rowsAbout } from '../../../src/roles/audit/audit-replay.ts'
import { verifyAudit } from '../../../src/roles/audit/index.ts'
import { ServiceError } from '../../../src/roles/services.ts'
import { TEST_NETWORK, TEST_OWNER } from '../../events/test-network.ts'
import { hash, node } from '../../projections/envelopes.ts'
import { judged, torrent } from '../../projections/reputation/scenes.ts'
import { hears, openSmallLog, type SmallLog } from '../small-log.ts'
import { bodyHash, exported, resigned, shows, signerOf } from './audit-scene.ts'

const [peer, other] = [node('peer'), node('other')]

describe('evidence for others', () => {
  let own: SmallLog
  let eve: SmallLog
  beforeEach(async () => {
    own = await openSmallLog(1)
    eve = await openSmallLog(2)
    await shows(own, 1)
    await shows(eve, 2, own)
  })
  afterEach(async () => {
    await own[Symbol.asyncDispose]()
    await eve[Symbol.asyncDispose]()
  })
  const says = (subject: PeerId, good: number, bad: number) => own.log.append([{ event: judged(subject, good, bad) }])
  const verified = (bundle: object) => verifyAudit(JSON.stringify(bundle))
  const refusal = (bundle: object, message: RegExp) =>
    assert.throws(
      () => verified(bundle),
      (error: unknown) => error instanceof ServiceError && error.code === 'damaged' && message.test(error.message),
      `${message}`,
    )

  it('comes to the verdict, the terms and the digest of the node that made it, with nothing but itself', async () => {
    await hears(own, eve, judged(other, 0, 3), judged(peer, 0, 3))
    await says(other, 0, 3)
    await says(peer, 4, 21)
    await says(peer, 0, 1)
    await says(node('nothing to do with it'), 1, 0)
    const report = verified(await exported(own, 1, peer))
    assert.deepEqual([report.node, report.about, report.network.id, report.policy.id], [own.id, peer, TEST_NETWORK, 'seed-v1'])
    const [row] = report.peers
    assert.deepEqual(
      [report.peers.length, row?.peer, row?.standing, row?.decisive],
      [1, peer, 'banned', row?.explanation.verdicts.filter(({ decisive }) => decisive).map(({ seq }) => seq)],
    )
    assert.deepEqual(report.certificates.map((one) => one.node).sort(), [own.id, eve.id].sort())
    // The rows of the node itself, as its projection has them.
    const state = own.states.state('reputation')
    assert.equal(report.digest, digestRows(rowsAbout(reputationProjection(own.id).rows(state), state, [peer]), newSha256))
    assert.equal(report.events, 7)
  })

  it('of a torrent is about everyone who was judged for bad pieces of it', async () => {
    await says(peer, 0, 30)
    await says(other, 3, 1)
    await says(node('honest'), 5, 0)
    const report = verified(await exported(own, 1, torrent))
    assert.deepEqual(
      report.peers.map(({ peer: whom, standing }) => [whom, standing]).sort(),
      [
        [peer, 'banned'],
        [other, 'good'],
      ].sort(),
    )
    await assert.rejects(exported(own, 1, hash('another torrent')), /nobody is known to have sent bad pieces/)
  })

  it('is refused about peers that nothing is known of', async () => {
    await assert.rejects(exported(own, 1, peer), (error: unknown) => error instanceof ServiceError && error.code === 'usage')
  })

  it('leaves out the word of those who were put out, as the node does', async () => {
    await hears(own, eve, judged(peer, 0, 30))
    await says(peer, 0, 1)
    await own.log.append([
      { event: { kind: 'access.revoked', ...signRevocation({ key: eve.id, at: 5 as never, reason: '' }, TEST_OWNER) } },
    ])
    const report = verified(await exported(own, 1, peer))
    assert.deepEqual(
      report.certificates.map(({ node: who, revoked }) => [who, revoked]).sort(),
      [
        [own.id, false],
        [eve.id, true],
      ].sort(),
    )
    assert.ok(report.peers[0]?.explanation.judgement.because.some(({ name }) => name === 'revoked'))
  })

  describe('that does not hold', () => {
    let bundle: AuditBundle
    beforeEach(async () => {
      await hears(own, eve, judged(peer, 0, 3))
      await says(peer, 0, 20)
      await says(peer, 0, 2)
      bundle = await exported(own, 1, peer)
    })
    const seqs = () => bundle.head.index.map(([seq]) => seq)
    /** Without the event at this place of the list, signed again by its node. */
    const without = (position: number): AuditBundle => {
      const index = bundle.head.index.filter((_, at) => at !== position)
      return resigned({ ...bundle, events: bundle.events.filter((_, at) => at !== position) }, { index })
    }

    it('is refused when it was cut, or is something else', () => {
      const text = JSON.stringify(bundle)
      for (const broken of ['', 'null', '[]', '{}', '7', text.slice(0, -1), text.slice(0, 100)])
        assert.throws(
          () => verifyAudit(broken),
          (error: unknown) => error instanceof ServiceError && error.code === 'damaged',
        )
      refusal({ ...bundle, p2pt: 'else' }, /no evidence of p2pt/)
      refusal({ ...bundle, head: { ...bundle.head, format: 2 } }, /format 2, this version reads up to 1/)
    })

    it('is refused when a field is not as it should be, each by its name', () => {
      const { head } = bundle
      const changes: readonly [string, object][] = [
        ['format', { format: 0 }],
        ['genesis', { genesis: 'xyz' }],
        ['node', { node: 'me' }],
        ['about', { about: 'somebody' }],
        ['head', { head: -1 }],
        ['at', { at: 1e17 }],
        ['policy', { policy: 'x'.repeat(129) }],
        ['index', { index: [[0, 'a'.repeat(64)]] }],
        ['index', { index: [[1, 'a'.repeat(63)]] }],
        ['index', { index: Array.from({ length: AUDIT_EVENTS_MAX + 1 }, (_, at) => [at + 1, 'a'.repeat(64)]) }],
        ['verdicts', { verdicts: [{ peer, score: 1.5, standing: 'good', decisive: [] }] }],
        ['verdicts', { verdicts: [{ peer, score: 1, standing: 'great', decisive: [] }] }],
        ['verdicts', { verdicts: Array.from({ length: 51 }, () => head.verdicts[0]) }],
        ['digest', { digest: 'A'.repeat(64) }],
      ]
      for (const [field, change] of changes)
        refusal({ ...bundle, head: { ...head, ...change } }, new RegExp(`its field "${field}"`))
      refusal({ ...bundle, signature: '!' }, /its field "signature"/)
      refusal({ ...bundle, events: [['a b', '']] }, /its field "events"/)
      refusal({ p2pt: 'audit' }, /its field "head"/)
    })

    it('is refused when an event was altered, is missing, is not in its index, or stands twice', () => {
      const [first, ...rest] = bundle.events
      const last = rest.at(-1)
      assert.ok(first !== undefined && last !== undefined)
      refusal({ ...bundle, events: rest }, new RegExp(`lacks event ${seqs()[0]}, or has another`))
      refusal({ ...bundle, events: bundle.events.slice(0, -1) }, new RegExp(`lacks event ${seqs().at(-1)}`))
      const altered = Buffer.from(first[0], 'base64')
      altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1
      refusal({ ...bundle, events: [[altered.toString('base64'), first[1]], ...rest] }, new RegExp(`lacks event ${seqs()[0]}`))
      const nothing = Buffer.alloc(64).toString('base64')
      refusal({ ...bundle, events: [[first[0], nothing], ...rest] }, new RegExp(`event ${seqs()[0]} of the evidence is forged`))
      refusal({ ...bundle, events: [...bundle.events, ['AAAA', nothing]] }, /1 events of it are not in its index/)
      const index = [...bundle.head.index, [99, bodyHash(last[0])] as const]
      refusal(resigned({ ...bundle, events: [...bundle.events, last] }, { index }), /lacks event 99/)
      refusal(resigned(bundle, { index: [...bundle.head.index].reverse() }), /stands after event/)
      const [garbage, garbageHash] = ['AAAA', bodyHash('AAAA')]
      refusal(
        resigned({ ...bundle, events: [[garbage, nothing]] }, { index: [[1, garbageHash]] }),
        /event 1 of the evidence is no event/,
      )
    })

    it('is refused when its head was altered, or another key or another network signed it', () => {
      const { head } = bundle
      refusal({ ...bundle, head: { ...head, at: head.at + 1 } }, /altered, or is signed by another key/)
      refusal(
        { ...bundle, head: { ...head, verdicts: [{ ...head.verdicts[0], score: 5 }] } },
        /altered, or is signed by another key/,
      )
      refusal(resigned(bundle, {}, signerOf(2)), /the signature is not that of node/)
      refusal(resigned(bundle, { node: eve.id }, signerOf(2)), /private to another node|lacks the certificate|do not come to/)
      const genesis = `${head.genesis.slice(0, -1)}${head.genesis.endsWith('0') ? '1' : '0'}`
      refusal({ ...bundle, head: { ...head, genesis } }, /forged, or of another network|cannot be read/)
      assert.throws(
        () => verifyAudit(JSON.stringify(bundle), { network: '0'.repeat(64) as never }),
        /of another network: "test"/,
      )
      assert.equal(verifyAudit(JSON.stringify(bundle), { network: TEST_NETWORK }).node, own.id)
    })

    it('is refused when it lacks an event that it needs, though its node signed it so', () => {
      assert.deepEqual(seqs(), [1, 2, 3, 4, 5])
      refusal(without(0), new RegExp(`lacks the certificate of node ${own.id}`))
      refusal(without(1), new RegExp(`lacks the certificate of node ${eve.id}`))
      refusal(without(2), /do not come to the verdict/)
      refusal(
        without(3),
        /do not come to the verdict: of [0-9a-f]+ it tells banned, score -13, and they come to good, score 87/,
      )
      const verdicts = bundle.head.verdicts.map((verdict) => ({ ...verdict, decisive: [] }))
      refusal(resigned(bundle, { verdicts }), /do not come to the verdict/)
      refusal(resigned(bundle, { digest: 'a'.repeat(64) }), /another digest/)
      refusal(resigned(bundle, { policy: 'mine' }), /another digest/)
    })

    it('never throws anything but what is wrong with it, whatever byte of it is another', () => {
      const text = JSON.stringify(bundle)
      let refused = 0
      for (let at = 0; at < text.length; at += 37) {
        const changed = `${text.slice(0, at)}${text[at] === 'a' ? 'b' : 'a'}${text.slice(at + 1)}`
        try {
          verifyAudit(changed)
        } catch (error) {
          assert.ok(error instanceof ServiceError && error.code === 'damaged', `${at}: ${error}`)
          refused += 1
        }
      }
      // Base64 has spare bits at its ends; everything else is noticed.
      assert.ok(refused >= Math.ceil(text.length / 37) - 2, `${refused}`)
    })
  })
})
