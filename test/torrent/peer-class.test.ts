import assert from 'node:assert/strict'
import { peerClassOf } from '../../src/torrent/peer-class.ts'

describe('the class of a peer', () => {
  it('is local on this machine and in private networks, and remote elsewhere', () => {
    for (const host of ['127.0.0.1', '10.1.2.3', '192.168.0.1', '172.16.0.1', '169.254.1.1', '::1', 'fd00::1', 'fe80::1%eth0'])
      assert.equal(peerClassOf(host), 'local', host)
    for (const host of ['1.2.3.4', '172.32.0.1', '192.169.0.1', '2001:db8::1', 'example.org', '0.0.0.0', ''])
      assert.equal(peerClassOf(host), 'remote', host)
  })
})
