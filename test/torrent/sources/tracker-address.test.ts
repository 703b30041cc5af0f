import assert from 'node:assert/strict'
import { isOwnMachine, protocolOf } from '../../../src/torrent/sources/tracker-address.ts'

const refusal = (message: string) => ({ name: 'TrackerError', message })

describe('the address of a tracker', () => {
  it('says which protocol it speaks', () => {
    assert.equal(protocolOf('udp://tracker.example:6969'), 'udp')
    assert.equal(protocolOf('http://tracker.example/announce'), 'http')
    assert.equal(protocolOf('https://tracker.example/any/path'), 'http')
  })

  it('that cannot be asked is refused with why', () => {
    assert.throws(() => protocolOf('not an address'), refusal('its address cannot be read'))
    for (const tracker of ['ws://tracker.example', 'wss://tracker.example'])
      assert.throws(() => protocolOf(tracker), refusal('it is for browsers (WebRTC), which this engine does not speak'))
    assert.throws(() => protocolOf('ftp://tracker.example'), refusal('trackers of ftp: are not known'))
  })

  it('on this machine is a tracker only where its path begins as one of a tracker does', () => {
    for (const host of ['localhost', 'LOCALHOST', '127.0.0.1', '127.8.9.10', '[::1]', '0.0.0.0']) {
      assert.equal(protocolOf(`http://${host}:80/announce`), 'http')
      assert.throws(
        () => protocolOf(`http://${host}/admin/announce`),
        refusal('it is on this machine, and its path does not begin with /announce'),
      )
    }
    assert.equal(protocolOf('udp://127.0.0.1:1'), 'udp')
  })

  it('is that of another machine where only a part of it looks like this one', () => {
    for (const host of [
      'localhost.example',
      'my.localhost',
      '128.0.0.1',
      '1127.0.0.1',
      '127.0.0.1.example',
      '127.0.0',
      '[::11]',
      '10.0.0.0',
      '0.0.0.00',
    ])
      assert.equal(isOwnMachine(host), false, host)
    for (const host of ['localhost', '127.0.0.1', '127.10.20.255', '[::1]', '0.0.0.0'])
      assert.equal(isOwnMachine(host), true, host)
  })
})
