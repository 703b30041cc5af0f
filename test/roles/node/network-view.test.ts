import assert from 'node:assert/strict'
import { decodeGenesis, type Lamport, type Millis, type Standing } from '../../../src/events/index.ts'
import type { Admission, AdmissionsState } from '../../../src/projections/index.ts'
import { networkView } from '../../../src/roles/node/network-view.ts'
import { TEST_JOINED } from '../../events/test-network.ts'
import { node } from '../../projections/envelopes.ts'

const NOW = 1_700_000_000_000 as Millis
const { genesis, network } = TEST_JOINED

describe('what a node shows of its network', () => {
  const shown = (name: string, role: Standing, expiresAt = 0): Admission => ({
    ...{ key: node(`invitation ${name}`), role, name, issuedAt: NOW, expiresAt: expiresAt as Millis },
    ...{ lamport: 1 as Lamport, at: NOW },
  })
  const viewOf = (state: Partial<AdmissionsState>) =>
    networkView(
      network,
      decodeGenesis(genesis),
      { ...{ admitted: new Map(), revoked: new Map(), places: new Map(), dirty: new Set() as never }, ...state },
      NOW,
    )

  it('has every invitation that a node has shown, the earlier ones too', () => {
    const admitted = new Map([
      [node('a'), [shown('Ada', 'client'), shown('Ada before', 'client', NOW + 5)]],
      [node('b'), [shown('Ada', 'client')]],
    ])
    assert.deepEqual(viewOf({ admitted }).invitations, [
      { key: node('invitation Ada'), role: 'client', name: 'Ada', expiresAt: null },
      { key: node('invitation Ada before'), role: 'client', name: 'Ada before', expiresAt: NOW + 5 },
    ])
  })

  it('says of what was revoked whether it is a node or an invitation, and whose, where that is known', () => {
    const admitted = new Map([
      [node('a'), [shown('Ada', 'client')]],
      [node('b'), [shown('Graz', 'member')]],
    ])
    const keys = [node('b'), node('invitation Ada'), node('nobody')]
    const revoked = new Map(keys.map((key, index) => [key, { at: (NOW + index) as Millis, reason: '' }]))
    assert.deepEqual(
      viewOf({ admitted, revoked }).revoked.map(({ key, kind, name }) => [key, kind, name]),
      [
        [node('b'), 'node', 'Graz'],
        [node('invitation Ada'), 'invitation', 'Ada'],
        [node('nobody'), null, ''],
      ],
    )
  })

  it('says of each node whether it is admitted, or why not: expired, revoked, or another has the place of its invitation', () => {
    const graz: Admission = shown('Graz', 'member')
    const admitted = new Map([
      [node('a'), [shown('Ada', 'client')]],
      [node('b'), [shown('Bob', 'client', NOW - 1)]],
      [node('c'), [graz]],
      [node('d'), [graz]],
      [node('e'), [shown('Eve', 'client')]],
    ])
    const places = new Map([[graz.key, { node: node('c'), lamport: 1 as Lamport }]])
    const revoked = new Map([[node('e'), { at: NOW, reason: '' }]])
    const states = new Map(viewOf({ admitted, places, revoked }).admitted.map((row) => [row.node, row.state]))
    assert.deepEqual(
      ['a', 'b', 'c', 'd', 'e'].map((name) => states.get(node(name))),
      ['admitted', 'expired', 'admitted', 'used', 'revoked'],
    )
  })
})
