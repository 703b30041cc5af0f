import assert from 'node:assert/strict'
import type { NodeId } from '../../src/events/index.ts'
import {
  INBOUND_FOR_MEMBERS,
  OPENING_MAX,
  type RoomLimits,
  type RoomLink,
  roomFor,
  SAME_NETWORK_FREE,
  SOUGHT_FOR_MEMBERS,
} from '../../src/network/link-room.ts'

const LIMITS = { linksMax: 96, linksInboundMax: 36, linksSought: 12 }
const link = (more: Partial<RoomLink> = {}): RoomLink => ({
  ...{ peer: '1'.repeat(64) as NodeId, host: '127.0.0.1', initiator: false, isOpen: true, isMember: false, asked: false },
  party: 'guests',
  ...more,
})
const hasRoom = (links: readonly RoomLink[], more: RoomLink, limits: RoomLimits) => roomFor(links, more, limits).room
const many = (count: number, more: Partial<RoomLink> = {}) => Array.from({ length: count }, () => link(more))

describe('room for links', () => {
  it('that others open is for 36, and for 24 who are no members', () => {
    const clients = LIMITS.linksInboundMax - INBOUND_FOR_MEMBERS
    assert.equal(clients, 24)
    assert.equal(hasRoom(many(clients - 1), link(), LIMITS), true)
    assert.equal(hasRoom(many(clients), link(), LIMITS), false)
    const members = many(INBOUND_FOR_MEMBERS - 1, { isMember: true })
    assert.equal(hasRoom([...many(clients), ...members], link({ isMember: true }), LIMITS), true)
    assert.equal(hasRoom([...many(clients + 1), ...members], link({ isMember: true }), LIMITS), false)
  })

  it('of this node by look-ups is for 8 who are no members; whom it dials has room as long as there is any', () => {
    const sought = { initiator: true }
    const clients = LIMITS.linksSought - SOUGHT_FOR_MEMBERS
    assert.equal(hasRoom(many(clients - 1, sought), link(sought), LIMITS), true)
    assert.equal(hasRoom(many(clients, sought), link(sought), LIMITS), false)
    assert.equal(hasRoom(many(clients, sought), link({ ...sought, isMember: true }), LIMITS), true)
    assert.equal(hasRoom(many(95, sought), link({ ...sought, asked: true }), LIMITS), true)
    assert.equal(hasRoom(many(96, sought), link({ ...sought, asked: true }), LIMITS), false)
    assert.equal(hasRoom(many(60, { ...sought, asked: true }), link(sought), LIMITS), true, 'those are counted apart')
  })

  it('of one invitation gives way to another that has less, the youngest link first', () => {
    const keys = (count: number, party: string) =>
      Array.from({ length: count }, (_, index) => link({ party, peer: `${party}${index}` as NodeId }))
    const insteadOf = (links: readonly RoomLink[], more: RoomLink) => {
      const found = roomFor(links, more, LIMITS)
      return found.room ? found.instead?.peer : 'no room'
    }
    assert.equal(insteadOf(keys(24, 'a'), link({ party: 'b' })), 'a23')
    assert.equal(insteadOf(keys(24, 'a'), link({ party: 'a' })), 'no room')
    assert.equal(insteadOf([...keys(13, 'a'), ...keys(11, 'b')], link({ party: 'b' })), 'a12')
    assert.equal(insteadOf([...keys(12, 'a'), ...keys(12, 'b')], link({ party: 'b' })), 'no room')
    assert.equal(insteadOf([...keys(12, 'a'), ...keys(12, 'b')], link({ party: 'c' })), 'a11')
    assert.equal(
      insteadOf([...keys(12, 'a'), ...keys(11, 'b'), ...keys(1, 'c')], link({ party: 'b' })),
      'no room',
      'one more is no more',
    )
    assert.equal(insteadOf(keys(23, 'a'), link({ party: 'b' })), undefined, 'there is a place left')
    const asked = keys(24, 'a').map((one) => ({ ...one, asked: true }))
    assert.equal(insteadOf([...asked, ...keys(24, 'c')], link({ party: 'b' })), 'c23', 'whom this node dialled stays')
  })

  it('is there for whoever has not shown yet who it is; above 24, the oldest of the address that has most goes', () => {
    const from = (host: string, count: number) =>
      Array.from({ length: count }, (_, index) => link({ isOpen: false, host, peer: `${host}-${index}` as NodeId }))
    const more = link({ isOpen: false, host: '9.9.9.9' })
    assert.deepEqual(roomFor(many(36), more, LIMITS), { room: true, instead: undefined })
    assert.deepEqual(roomFor(from('1.1.1.1', OPENING_MAX - 1), more, LIMITS), { room: true, instead: undefined })
    const opening = [...from('2.2.2.2', 11), ...from('1.1.1.1', OPENING_MAX - 11)]
    const found = roomFor(opening, more, LIMITS)
    assert.equal(found.room && found.instead?.peer, '1.1.1.1-0')
  })

  it('among more than twelve is for a third of one public network, and for all of a private one', () => {
    const far = (count: number) => Array.from({ length: count }, (_, index) => link({ host: `9.9.${index}.1` }))
    const near = { host: '198.51.100.7' }
    assert.equal(hasRoom(many(SAME_NETWORK_FREE - 1, near), link(near), LIMITS), true)
    assert.equal(hasRoom(many(SAME_NETWORK_FREE, near), link(near), LIMITS), false)
    assert.equal(hasRoom(many(SAME_NETWORK_FREE, near), link({ host: '198.51.101.7' }), LIMITS), true)
    assert.equal(hasRoom([...far(10), ...many(4, near)], link(near), LIMITS), true)
    assert.equal(hasRoom([...far(9), ...many(4, near)], link(near), LIMITS), false)
    assert.equal(hasRoom(many(SAME_NETWORK_FREE, near), link({ ...near, isMember: true }), LIMITS), true)
    for (const host of ['127.0.0.1', '10.1.2.3', '172.16.0.1', '172.31.9.9', '192.168.1.1', '169.254.1.1', '100.64.0.1', ''])
      assert.equal(hasRoom(many(SAME_NETWORK_FREE, { host }), link({ host }), LIMITS), true, host)
    for (const host of ['172.32.0.1', '172.15.0.1', '192.167.1.1', '100.128.0.1', '100.63.0.1', '11.0.0.1'])
      assert.equal(hasRoom(many(SAME_NETWORK_FREE, { host }), link({ host }), LIMITS), false, host)
  })
})
