import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { GuardedDatagramSocket } from '../../src/network/guarded-socket.mainline.ts'

const PING = new TextEncoder().encode('d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping1:t2:aa1:y1:qe')

describe('guarded socket', () => {
  let guarded: GuardedDatagramSocket
  let plain: Socket
  let heard: Uint8Array[]
  beforeEach(async () => {
    guarded = new GuardedDatagramSocket()
    heard = []
    guarded.on('message', (datagram: Uint8Array) => heard.push(datagram))
    plain = createSocket('udp4')
    guarded.bind(0, '127.0.0.1')
    await once(guarded, 'listening')
    plain.bind(0, '127.0.0.1')
    await once(plain, 'listening')
  })
  afterEach(() => {
    guarded.close()
    plain.close()
  })
  const comes = (bytes: Uint8Array) => plain.send(bytes, guarded.address().port, '127.0.0.1')
  const sends = (port: number, host: string) =>
    new Promise<Error | null>((resolve) => guarded.send(PING, 0, PING.length, port, host, resolve))

  it('hands on messages of BEP 5, and counts what it drops', async () => {
    for (const bytes of [new Uint8Array(), Uint8Array.of(1, 2, 3), new TextEncoder().encode('d1:y1:qe')]) comes(bytes)
    comes(PING)
    await once(guarded, 'message')
    assert.deepEqual([heard.map((datagram) => [...datagram]), guarded.dropped], [[[...PING]], 3])
  })

  it('sends to who can be sent to, and tells the others as an error of the callback', async () => {
    const arrives = once(plain, 'message')
    assert.equal(await sends(plain.address().port, '127.0.0.1'), null)
    const [datagram] = await arrives
    assert.deepEqual([...datagram], [...PING])
    for (const [port, host] of [
      [0, '127.0.0.1'],
      [65_536, '127.0.0.1'],
      [1, '0.0.0.0'],
      [1, 'a.example'],
    ] as const) {
      const failed = await sends(port, host)
      assert.match(String(failed), /not an address to send to/, `${host}:${port}`)
      guarded.send(PING, 0, PING.length, port, host)
    }
  })

  it('tells errors and its end as events', async () => {
    const other = new GuardedDatagramSocket()
    other.bind(guarded.address().port, '127.0.0.1')
    const [error] = await once(other, 'error')
    assert.equal(error.code, 'EADDRINUSE')
    const third = new GuardedDatagramSocket()
    const isListening = new Promise<void>((resolve) => third.bind(0, '127.0.0.1', resolve))
    await isListening
    const closed = once(third, 'close')
    third.close()
    await closed
  })
})
