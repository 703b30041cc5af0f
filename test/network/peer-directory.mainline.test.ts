import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import DHT from 'bittorrent-dht'
import type { InfoHash, Timers } from '../../src/events/index.ts'
import { systemTimers } from '../../src/events/model/time.system.ts'
import { NetworkError } from '../../src/network/network-error.ts'
import { type MainlineNode, startMainlineNode } from '../../src/network/peer-directory.mainline.ts'
import type { Endpoint } from '../../src/network/transport.ts'
import { freeUdpPort } from '../../src/network/udp-port.hyperswarm.ts'

const HOST = '127.0.0.1'
const HASH = 'ab'.repeat(20) as InfoHash

describe('a Mainline node', () => {
  const nodes: AsyncDisposable[] = []
  const clients: DHT[] = []
  const sockets: Socket[] = []

  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node[Symbol.asyncDispose]()))
    await Promise.all(clients.splice(0).map((client) => new Promise<void>((resolve) => client.destroy(resolve))))
    for (const socket of sockets.splice(0)) socket.close()
  })

  async function start(
    port: number,
    bootstrap: readonly Endpoint[],
    kept: readonly Endpoint[] = [],
    maxAgeMs = 60_000,
  ): Promise<MainlineNode> {
    const node = await startMainlineNode({ host: HOST, port, bootstrap, maxAgeMs, timers: systemTimers, nodes: kept })
    nodes.push(node)
    return node
  }

  /** Announces `port` for a torrent as a torrent engine would. */
  async function announce(bootstrap: readonly Endpoint[], port: number, hash = HASH): Promise<void> {
    const client = new DHT({ bootstrap, maxAge: 60_000 })
    clients.push(client)
    await new Promise<void>((resolve) => client.listen(0, HOST, resolve))
    await new Promise<void>((resolve, reject) =>
      client.announce(hash, port, (error) => (error === null ? resolve() : reject(error))),
    )
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve))
  }

  it('finds what was announced to another one of five that started together', async () => {
    const ports: number[] = []
    for (let index = 0; index < 5; index++) ports.push(await freeUdpPort(HOST, 0))
    const bootstrap = ports.map((port) => ({ host: HOST, port }))
    const started = await Promise.all(ports.map((port) => start(port, bootstrap)))
    await until(() => started.every((node) => node.nodeCount >= 4))
    await announce(bootstrap.slice(0, 1), 6881)
    for (const node of started) assert.deepEqual(await node.lookup(HASH), [{ host: HOST, port: 6881 }])
  })

  it('tells apart what is found for torrents that are looked up at the same time', async () => {
    const node = await start(0, [])
    const bootstrap = [{ host: HOST, port: node.port }]
    const other = 'cd'.repeat(20) as InfoHash
    await announce(bootstrap, 6881)
    await announce(bootstrap, 6882, other)
    const asker = await start(0, bootstrap)
    await until(() => asker.nodeCount > 0)
    const found = await Promise.all([asker.lookup(HASH), asker.lookup(other)])
    assert.deepEqual(found, [[{ host: HOST, port: 6881 }], [{ host: HOST, port: 6882 }]])
  })

  it('leaves no timer when it is closed', async () => {
    const pending = new Set<number>()
    let number = 0
    const timers: Timers = {
      after(delayMs, run) {
        const of = number++
        pending.add(of)
        const cancel = systemTimers.after(delayMs, () => {
          pending.delete(of)
          run()
        })
        return () => {
          pending.delete(of)
          cancel()
        }
      },
    }
    const node = await startMainlineNode({ host: HOST, port: 0, bootstrap: [], maxAgeMs: 60_000, timers })
    nodes.push(node)
    await node.lookup(HASH)
    await until(() => pending.size > 0)
    await node[Symbol.asyncDispose]()
    assert.equal(pending.size, 0)
    await assert.rejects(node.lookup(HASH), { code: 'CLOSED' })
  })

  it('starts alone, and answers a look-up with nothing', async () => {
    const node = await start(0, [])
    assert.ok(node.port > 0)
    assert.deepEqual(await node.lookup(HASH), [])
  })

  it('joins a bootstrap that comes up later', async () => {
    const port = await freeUdpPort(HOST, 0)
    const node = await start(0, [{ host: HOST, port }])
    assert.equal(node.nodeCount, 0)
    await start(port, [])
    await until(() => node.nodeCount === 1)
  })

  it('joins through the nodes of an earlier run when no bootstrap is given', async () => {
    const first = await start(0, [])
    const second = await start(0, [{ host: HOST, port: first.port }])
    await until(() => second.nodeCount === 1)
    const kept = JSON.parse(JSON.stringify(second.nodes()))
    assert.deepEqual(kept, [{ host: HOST, port: first.port }])
    const third = await start(0, [], kept)
    await until(() => third.nodeCount >= 1)
  })

  it('says which port is in use', async () => {
    const first = await start(0, [])
    await assert.rejects(start(first.port, []), (error: unknown) => {
      assert.ok(error instanceof NetworkError)
      assert.equal(error.code, 'PORT_IN_USE')
      assert.ok(error.message.startsWith(`UDP port ${first.port} on 127.0.0.1 is in use: choose another with --port`))
      return true
    })
  })

  it('can be started again on the same port as soon as it is closed', async () => {
    const first = await start(0, [])
    await first[Symbol.asyncDispose]()
    await assert.rejects(first.lookup(HASH), { code: 'CLOSED' })
    assert.equal((await start(first.port, [])).port, first.port)
  })

  it('ends a look-up that is aborted', async () => {
    const silent = createSocket('udp4')
    sockets.push(silent)
    silent.bind(0, HOST)
    await once(silent, 'listening')
    const node = await start(0, [])
    const aborting = new AbortController()
    const looking = node.lookup(HASH, aborting.signal)
    aborting.abort(new Error('enough'))
    await assert.rejects(looking, /enough/)
  })

  it('forgets a peer that does not announce again', async () => {
    const node = await start(0, [], [], 200)
    const bootstrap = [{ host: HOST, port: node.port }]
    await announce(bootstrap, 6881)
    assert.equal((await node.lookup(HASH)).length, 1)
    while ((await node.lookup(HASH)).length > 0);
  })

  it('refuses to remember announced peers for ever', () => {
    const options = { host: HOST, port: 0, bootstrap: [], maxAgeMs: 0, timers: systemTimers }
    return assert.rejects(startMainlineNode(options), RangeError)
  })

  it('survives hostile datagrams and still answers', async () => {
    const node = await start(0, [])
    const socket = createSocket('udp4')
    sockets.push(socket)
    socket.bind(0, HOST)
    await once(socket, 'listening')
    const id = '20:aaaaaaaaaaaaaaaaaaaa'
    const hostile = [
      `d1:ad2:id${id}9:info_hashi5ee1:q9:get_peers1:t2:aa1:y1:qe`,
      `d1:ad2:id${id}6:targeti5ee1:q9:find_node1:t2:aa1:y1:qe`,
      `d1:ad2:id${id}9:info_hash20:bbbbbbbbbbbbbbbbbbbb4:porti1e5:tokeni5ee1:q13:announce_peer1:t2:aa1:y1:qe`,
      `d1:ad2:id${id}4:salti1e1:k1:a3:sig1:a5:token1:a1:vi1ee1:q3:put1:t2:aa1:y1:qe`,
      'd1:eld1:a1:bee1:t2:aa1:y1:ee',
      'd1:rd2:idi5ee1:t2:aa1:y1:re',
      'd'.repeat(3_000),
      'l'.repeat(3_000),
    ].map((text) => Buffer.from(text))
    for (let index = 0; index < 500; index++) hostile.push(randomBytes(index))
    const ping = Buffer.from(`d1:ad2:id${id}e1:q4:ping1:t2:zz1:y1:qe`)
    // An answer after every few, so that none is lost to a full socket buffer.
    while (hostile.length > 0) {
      for (const datagram of hostile.splice(0, 50)) socket.send(datagram, node.port, HOST)
      socket.send(ping, node.port, HOST)
      const [answer] = (await once(socket, 'message')) as [Buffer]
      assert.match(answer.toString('latin1'), /1:t2:zz/)
    }
  })
})
