import assert from 'node:assert/strict'
import type { Envelope, Millis, NodeId, Standing } from '../../../src/events/index.ts'
import type { Link, LinkLoss } from '../../../src/network/index.ts'
import { careForAdmissions, EXPIRY_EVERY_MS } from '../../../src/roles/node/admission-care.ts'
import { HeldOff, PEERS_MAX, SHOWN_MAX } from '../../../src/roles/node/held-off.ts'
import { EnvelopeMaker, node } from '../../projections/envelopes.ts'
import { VirtualTime } from '../../sim/virtual-time.ts'

const [ada, bob] = [node('ada'), node('bob')]

function caring() {
  const time = new VirtualTime()
  const standing = new Map<NodeId, Standing>([ada, bob].map((id) => [id, 'client']))
  const dropped: { peer: NodeId; why: LinkLoss }[] = []
  const links = (): Link[] =>
    [ada, bob]
      .filter((peer) => !dropped.some((each) => each.peer === peer))
      .map((peer) => ({ peer, host: '10.0.0.1', port: 1, initiator: true, since: 0 }))
  let tell: (envelopes: readonly Envelope[]) => void = () => {}
  const heldOff = new HeldOff(time)
  const stop = careForAdmissions({
    log: {
      onAppended(listener) {
        tell = listener
        return () => {
          tell = () => {}
        }
      },
    },
    admittance: { standingOf: (peer) => standing.get(peer) },
    transport: { links, drop: (peer, why) => void dropped.push({ peer, why }) },
    heldOff,
    timers: time,
  })
  return { time, standing, dropped, heldOff, stop, tell: (...envelopes: Envelope[]) => tell(envelopes) }
}

const revoked = new EnvelopeMaker().make(bob, {
  kind: 'access.revoked',
  revocation: new Uint8Array(),
  ownerSignature: new Uint8Array(64),
})

describe('care for admissions', () => {
  it('ends the links of a revoked node as soon as the word is in the log, and no other', () => {
    const { standing, dropped, heldOff, stop, tell } = caring()
    tell(new EnvelopeMaker().make(bob, { kind: 'node.stopped', reason: '' }))
    assert.deepEqual(dropped, [])
    standing.delete(ada)
    tell(revoked)
    assert.deepEqual(dropped, [{ peer: ada, why: 'refused' }])
    assert.deepEqual(
      heldOff.rows().map(({ peer, why, times }) => [peer, why, times]),
      [[ada, 'revoked', 1]],
    )
    stop()
  })

  it('ends the links of a node whose invitation expires while it is linked, within five seconds', async () => {
    const { time, standing, dropped, heldOff, stop } = caring()
    await time.advance(EXPIRY_EVERY_MS)
    assert.deepEqual(dropped, [])
    standing.delete(bob)
    await time.advance(EXPIRY_EVERY_MS)
    assert.deepEqual(dropped, [{ peer: bob, why: 'refused' }])
    assert.equal(heldOff.rows()[0]?.why, 'expired')
    stop()
    standing.delete(ada)
    await time.advance(10 * EXPIRY_EVERY_MS)
    assert.equal(dropped.length, 1, 'it has stopped')
  })
})

describe('peers that were held off', () => {
  it('are counted, the latest first, up to a bound', () => {
    const time = { at: 0, now: () => time.at++ as Millis }
    const heldOff = new HeldOff(time)
    for (let index = 0; index < PEERS_MAX + 1; index++) heldOff.note(node(`${index}`), 'missing')
    heldOff.note(node('0'), 'missing')
    assert.equal(heldOff.rows()[0]?.times, 1, 'the first one was forgotten')
    heldOff.note(node('5'), 'expired')
    const [latest] = heldOff.rows()
    assert.deepEqual([latest?.peer, latest?.why, latest?.times], [node('5'), 'expired', 2])
    assert.equal(heldOff.rows().length, SHOWN_MAX)
  })
})
