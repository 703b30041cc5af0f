import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { InfoHash } from '../../src/events/index.ts'
import { systemTimers } from '../../src/events/model/time.system.ts'
import { startMainlineNode } from '../../src/network/peer-directory.mainline.ts'
import { type Bencoded, decode, encode } from '../../src/torrent/bencode.ts'
import { Lab } from '../torrent/engine-fixture.ts'

// Both kinds of nodes of the private Mainline DHT, asked and told by plain datagrams from several addresses of loopback.

const HOST = '127.0.0.1'
const HASH = 'ab'.repeat(20) as InfoHash
/** Without fragments on any network. */
const ANSWER_BYTES_MAX = 1_400
/** Few enough that no socket buffer overflows. */
const AT_ONCE = 50

describe('a Mainline node that is told too many peers', () => {
  let lab: Lab
  const sockets: Socket[] = []
  beforeEach(() => {
    lab = new Lab('p2pt')
  })
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.close()
    await lab[Symbol.asyncDispose]()
  })

  /** Speaks from one address of loopback; undefined where the system has only 127.0.0.1. */
  async function speaker(host: string, nodePort: number) {
    const socket = createSocket('udp4')
    sockets.push(socket)
    socket.bind(0, host)
    const bound = await once(socket, 'listening').then(
      () => true,
      () => false,
    )
    if (!bound) {
      sockets.splice(sockets.indexOf(socket), 1)
      return undefined
    }
    const id = Buffer.alloc(20, host)
    const waiting = new Map<string, (answer: { bytes: number; body: ReadonlyMap<string, Bencoded> }) => void>()
    socket.on('message', (datagram) => {
      const message = decode(datagram) as ReadonlyMap<string, Bencoded>
      // A node looks its neighbours up too: one that says nothing is waited for.
      if (message.has('q')) socket.send(encode({ r: { id }, t: message.get('t') as Uint8Array, y: 'r' }), nodePort, HOST)
      const body = message.get('r')
      if (body instanceof Map) waiting.get(hexOf(message.get('t')))?.({ bytes: datagram.length, body })
    })
    let asked = 0
    const ask = (q: string, more: { [key: string]: string | number | Uint8Array }) => {
      const t = Buffer.alloc(2)
      t.writeUInt16BE(asked++)
      const hash = Buffer.from(HASH, 'hex')
      return new Promise<{ bytes: number; body: ReadonlyMap<string, Bencoded> }>((resolve) => {
        waiting.set(hexOf(t), resolve)
        socket.send(encode({ a: { id, info_hash: hash, ...more }, q, t, y: 'q' }), nodePort, HOST)
      })
    }
    const getPeers = async () => {
      const { bytes, body } = await ask('get_peers', {})
      const values = (body.get('values') ?? []) as readonly Uint8Array[]
      return { bytes, token: body.get('token') as Uint8Array, peers: values.map(textOf) }
    }
    const announce = async (...ports: readonly number[]) => {
      const { token } = await getPeers()
      for (let at = 0; at < ports.length; at += AT_ONCE)
        await Promise.all(ports.slice(at, at + AT_ONCE).map((port) => ask('announce_peer', { port, token })))
    }
    return { getPeers, announce }
  }

  const kinds = {
    'of a bootstrap': async () => {
      const node = await startMainlineNode({ host: HOST, port: 0, bootstrap: [], maxAgeMs: 60_000, timers: systemTimers })
      lab.defer(async () => node[Symbol.asyncDispose]())
      return { port: node.port, lookup: () => node.lookup(HASH) }
    },
    'of a torrent engine': async () => {
      const { engine } = await lab.node('engine')
      return { port: engine.dht.port, lookup: () => engine.lookup(HASH) }
    },
  }

  for (const [kind, start] of Object.entries(kinds)) {
    it(`keeps eight ports of one host, the last ones, when it is one ${kind}`, async () => {
      const { port, lookup } = await start()
      const one = await speaker(HOST, port)
      assert.ok(one)
      await one.announce(1, 2, 3, 4, 5, 6, 7, 8, 9)
      const { peers } = await one.getPeers()
      assert.deepEqual(
        peers.sort(),
        [2, 3, 4, 5, 6, 7, 8, 9].map((each) => `${HOST}:${each}`),
      )
      assert.equal((await lookup()).length, 8)
    })

    it(`answers with fifty of 51 peers in one short datagram, when it is one ${kind}`, async function () {
      const { port } = await start()
      for (let last = 2; last <= 52; last++) {
        const each = await speaker(`127.0.0.${last}`, port)
        if (each === undefined) return this.skip()
        await each.announce(60_000)
      }
      const asking = await speaker(HOST, port)
      assert.ok(asking)
      const { peers, bytes } = await asking.getPeers()
      assert.equal(new Set(peers).size, 50)
      assert.ok(bytes < ANSWER_BYTES_MAX, `${bytes} bytes`)
    })

    it(`tells of a seeder that another host hides behind 5,000 ports, when it is one ${kind}`, async function () {
      const { port, lookup } = await start()
      const seeder = await speaker('127.0.0.2', port)
      if (seeder === undefined) return this.skip()
      const hiding = await speaker(HOST, port)
      assert.ok(hiding)
      await seeder.announce(6_881)
      await hiding.announce(...Array.from({ length: 5_000 }, (_, index) => 10_000 + index))
      const { peers, bytes } = await hiding.getPeers()
      assert.ok(peers.includes('127.0.0.2:6881'))
      assert.equal(peers.length, 9)
      assert.ok(bytes < ANSWER_BYTES_MAX, `${bytes} bytes`)
      assert.ok((await lookup()).some(({ host }) => host === '127.0.0.2'))
    })
  }
})

const hexOf = (bytes: Bencoded | undefined): string => Buffer.from(bytes as Uint8Array).toString('hex')

function textOf(peer: Uint8Array): string {
  return `${peer.subarray(0, 4).join('.')}:${Buffer.from(peer).readUInt16BE(4)}`
}
