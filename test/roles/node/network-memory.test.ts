import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NodeId } from '../../../src/events/index.ts'
import { readNetworkMemory, writeNetworkMemory } from '../../../src/roles/node/network-memory.fs.ts'

const NOTHING = { dhtNodes: [], mainlineId: null, mainlineNodes: [], anchors: [] }

const peer = (digit: string) => digit.repeat(64) as NodeId

describe('what a node remembers of the network', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'p2pt-memory-'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  it('comes back as it was written', () => {
    const memory = {
      dhtNodes: [{ host: '10.0.0.1', port: 1 }],
      mainlineId: 'a'.repeat(40),
      mainlineNodes: [{ host: '127.0.0.1', port: 65_535 }],
      anchors: [peer('1'), peer('2'), peer('3'), peer('4')],
    }
    writeNetworkMemory(join(root, 'network.json'), memory)
    assert.deepEqual(readNetworkMemory(join(root, 'network.json')), memory)
  })

  it('leaves out what cannot be dialled, whatever stands in the file', () => {
    const bad = [
      ...['victim.example', '0.0.0.0', '224.0.0.1', '255.255.255.255', '::1', '010.0.0.1', '', 7, null, ['10.0.0.1']].map(
        (host) => ({ host, port: 1 }),
      ),
      ...[0, -1, 65_536, 1.5, '1', null].map((port) => ({ host: '10.0.0.1', port })),
      ...[null, 7, 'x', []],
    ]
    const good = { host: '10.0.0.2', port: 2 }
    writeFileSync(join(root, 'network.json'), JSON.stringify({ dhtNodes: [...bad, good], mainlineNodes: bad }))
    assert.deepEqual(readNetworkMemory(join(root, 'network.json')), { ...NOTHING, dhtNodes: [good] })
  })

  it('has four anchors at most, and none that is no key', () => {
    const anchors = ['x', 7, 'A'.repeat(64), ...['1', '2', '3', '4', '5'].map(peer)]
    writeFileSync(join(root, 'network.json'), JSON.stringify({ anchors }))
    assert.deepEqual(readNetworkMemory(join(root, 'network.json')).anchors, ['1', '2', '3', '4'].map(peer))
  })

  it('is nothing where the file is missing or makes no sense', () => {
    assert.deepEqual(readNetworkMemory(join(root, 'network.json')), NOTHING)
    writeFileSync(join(root, 'network.json'), '{"dhtNodes":')
    assert.deepEqual(readNetworkMemory(join(root, 'network.json')), NOTHING)
    writeFileSync(join(root, 'network.json'), '{"dhtNodes":{"host":"10.0.0.1","port":1},"mainlineId":7}')
    assert.deepEqual(readNetworkMemory(join(root, 'network.json')), NOTHING)
  })
})
