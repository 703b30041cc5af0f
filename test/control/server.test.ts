import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createConnection, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import fc from 'fast-check'
import { CALLERS_MAX, RESERVED_MAX } from '../../src/control/callers.ts'
import { ControlError, ControlServer, connectNode } from '../../src/control/index.ts'
import { RPC } from '../../src/control/json-rpc.ts'
import { LINE_BYTES_MAX } from '../../src/control/line-splitter.ts'
import { LEAVING_MAX } from '../../src/control/server.ts'
import { CALLS_MAX } from '../../src/control/session.ts'
import { ALL_UNREAD_BYTES_MAX, SMALL_ANSWER_BYTES_MAX } from '../../src/control/unread.ts'
import { ServiceError } from '../../src/roles/index.ts'
import { smallNode } from './small-node.ts'

/** A caller that writes lines by hand. */
function caller(path: string) {
  const socket = createConnection({ path })
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
  return {
    socket,
    send: (message: unknown) => socket.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`),
    async answer() {
      const step = await lines.next()
      assert.equal(step.done, false, 'the node closed the line')
      return JSON.parse(step.value)
    },
  }
}

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

const closed = (socket: Socket) =>
  new Promise((resolve) => (socket.closed ? resolve(undefined) : socket.once('close', resolve)))

describe('control server and client', () => {
  let directory: string
  let small: ReturnType<typeof smallNode>
  let server: ControlServer

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'p2pt-control-'))
    small = smallNode()
    server = await ControlServer.listen(directory)
    await server.open(small.services)
  })

  afterEach(async () => {
    await server[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  })

  it('carries a call and its answer', async () => {
    const { node } = await connectNode(directory)
    assert.equal((await node.status()).id, 'ab')
    assert.deepEqual(await node.ban('ip:1.2.3.4', 'because'), { peer: 'ip:1.2.3.4', because: 'because' })
  })

  it('turns an option that was left out into none, not into null', async () => {
    const { node } = await connectNode(directory)
    assert.equal((await node.digests({})).at, 'left out')
    assert.equal((await node.digests({ at: 7 })).at, 7)
  })

  it('carries progress, and then the result', async () => {
    const { node } = await connectNode(directory)
    const work = node.verify({ signatures: false })
    assert.deepEqual(await work.next(), { done: false, value: { done: 1, total: 2 } })
    assert.deepEqual(await work.next(), { done: false, value: { done: 2, total: 2 } })
    assert.deepEqual(await work.next(), { done: true, value: { intact: true } })
  })

  it('hands an error back with its code and its sentence', async () => {
    const { node, client } = await connectNode(directory)
    const usage = (error: unknown) => error instanceof ServiceError && error.code === 'usage'
    await assert.rejects(node.explain('usage'), (error: Error) => usage(error) && error.message === 'no such peer')
    await assert.rejects(
      node.explain('damaged'),
      (error) => error instanceof ServiceError && error.code === 'damaged' && /events 2 to 3 missing/.test(error.message),
    )
    for (const peer of ['bug', 'thrown', 'cycle'])
      await assert.rejects(node.explain(peer), (error) => error instanceof ServiceError && error.code === 'failed')
    await assert.rejects(client.dht(), (error) => usage(error) && /is no client node/.test(String(error)))
    const work = node.rebuild({})
    assert.deepEqual(await work.next(), { done: false, value: { done: 1 } })
    await assert.rejects(work.next(), (error) => error instanceof ServiceError && error.message === 'the disk is full')
  })

  it('lets only its own user in', () => {
    assert.equal(statSync(server.path).mode & 0o777, 0o600)
    assert.equal(statSync(server.path).isSocket(), true)
  })

  it('does not change the mask of files that are made later', async () => {
    const path = join(directory, 'later')
    const before = process.umask()
    await writeFile(path, '')
    assert.equal(statSync(path).mode & 0o777, 0o666 & ~before)
  })

  it('says that no node runs where none does, and where one was killed', async () => {
    const notRunning = (error: unknown) => error instanceof ControlError && error.code === 'NOT_RUNNING'
    await assert.rejects(connectNode(join(directory, 'nothing')), notRunning)
    await server[Symbol.asyncDispose]()
    assert.equal(existsSync(server.path), false)
    await assert.rejects(connectNode(directory), notRunning)
  })

  it('takes the place of a socket that nobody answers, and of no other', async () => {
    await assert.rejects(ControlServer.listen(directory), (error) => error instanceof ControlError && error.code === 'IN_USE')
    assert.equal((await (await connectNode(directory)).node.status()).id, 'ab')
    await server[Symbol.asyncDispose]()
    await writeFile(server.path, 'left behind')
    server = await ControlServer.listen(directory)
    await server.open(small.services)
    assert.equal((await (await connectNode(directory)).node.status()).id, 'ab')
  })

  it('says so where no directory can be made, and does not wait for ever', async () => {
    const unavailable = (error: unknown) => error instanceof ControlError && error.code === 'UNAVAILABLE'
    await assert.rejects(ControlServer.listen('/proc/p2pt/absent'), unavailable)
    const file = join(directory, 'a-file')
    await writeFile(file, '')
    await assert.rejects(ControlServer.listen(file), unavailable)
  })

  it('makes the data directory and those above it, for its user only', async () => {
    const deep = join(directory, 'a/b/c')
    await using _server = await ControlServer.listen(deep)
    assert.equal(statSync(deep).mode & 0o777, 0o700)
    assert.equal(statSync(join(directory, 'a')).mode & 0o777, 0o700)
  })

  it('takes its place back from one that did not get the data directory', async () => {
    await rm(server.path)
    const late = await ControlServer.listen(directory)
    await server.open(small.services)
    await late[Symbol.asyncDispose]()
    assert.equal((await (await connectNode(directory)).node.status()).id, 'ab')
  })

  it('says that the node is starting until it has started', async () => {
    await server[Symbol.asyncDispose]()
    server = await ControlServer.listen(directory)
    const { node } = await connectNode(directory)
    await assert.rejects(node.status(), (error) => error instanceof ControlError && error.code === 'STARTING')
    await server.open(small.services)
    assert.equal((await node.status()).id, 'ab')
  })

  it('answers what is no call with an error, counts it, and goes on', async () => {
    const { socket, send, answer } = caller(server.path)
    const refused: [message: unknown, code: number][] = [
      ['garbage', -32700],
      [[], -32600],
      [{ jsonrpc: '2.0', id: 1, method: 'node.toString', params: [] }, -32601],
      [{ jsonrpc: '2.0', id: 1, method: 'constructor.constructor', params: ['x'] }, -32601],
      [{ jsonrpc: '2.0', id: 1, method: 'node.ban', params: ['x'] }, -32602],
      [{ jsonrpc: '2.0', id: 1, method: 'node.status', params: {} }, -32602],
    ]
    for (const [message, code] of refused) {
      send(message)
      assert.equal((await answer()).error.code, code, JSON.stringify(message))
    }
    assert.equal(server.malformed, 3)
    send({ jsonrpc: '2.0', id: 'last', method: 'node.scores' })
    assert.deepEqual(await answer(), { jsonrpc: '2.0', id: 'last', result: [] })
    socket.destroy()
  })

  it('refuses a line that is too long without keeping it', async () => {
    const { socket, send, answer } = caller(server.path)
    send('x'.repeat(LINE_BYTES_MAX + 1))
    assert.match((await answer()).error.message, /too long/)
    send({ jsonrpc: '2.0', id: 1, method: 'node.scores' })
    assert.deepEqual((await answer()).result, [])
    socket.destroy()
  })

  it('refuses a second call with the id of one that is open, and more than 64 at once', async () => {
    const { socket, send, answer } = caller(server.path)
    const follow = (id: number) => ({ jsonrpc: '2.0', id, method: 'node.notices', params: [{}] })
    for (let id = 1; id <= CALLS_MAX; id += 1) {
      send(follow(id))
      assert.equal((await answer()).method, 'progress')
    }
    send(follow(7))
    assert.match((await answer()).error.message, /with this "id" is open/)
    assert.equal(CALLS_MAX, 64)
    send(follow(CALLS_MAX + 1))
    assert.match((await answer()).error.message, /more than 64 calls/)
    socket.destroy()
    await until(() => small.endedStreams() === 64)
  })

  it('stops a listing when the caller goes away, even while it sleeps', async () => {
    const { node } = await connectNode(directory)
    for await (const notice of node.notices({})) {
      assert.equal(notice.code, 'first')
      break
    }
    await until(() => small.endedStreams() === 1)
  })

  it('stops a listing when the caller cancels it, and says so', async () => {
    const { socket, send, answer } = caller(server.path)
    send({ jsonrpc: '2.0', id: 5, method: 'node.notices', params: [{}] })
    assert.equal((await answer()).params.id, 5)
    send({ jsonrpc: '2.0', method: 'cancel', params: { id: 5 } })
    const last = await answer()
    assert.equal(last.id, 5)
    assert.match(last.error.message, /cancelled/)
    assert.equal(small.endedStreams() > 0, true)
    socket.destroy()
  })

  it('waits for a caller that does not read', async () => {
    const { socket, send } = caller(server.path)
    socket.pause()
    send({ jsonrpc: '2.0', id: 1, method: 'node.events', params: [{ limit: 1_000_000 }] })
    let before = -1
    // Still when a whole turn of the other side has passed without another item.
    while (small.handedOut() !== before || before <= 0) {
      before = small.handedOut()
      await (await connectNode(directory)).node.status()
    }
    assert.ok(before < 100_000, `${before} items were made for a caller that reads none`)
    socket.destroy()
    await until(() => small.endedStreams() === 1)
  })

  it('ends listings that nobody reads beyond what all may leave unread, and answers others meanwhile', async () => {
    const warnings: string[] = []
    const warned = (warning: Error) => void warnings.push(warning.message)
    process.on('warning', warned)
    const hogs = Array.from({ length: 5 }, () => caller(server.path))
    for (const { socket, send } of hogs) {
      socket.pause()
      for (let id = 1; id <= CALLS_MAX; id += 1)
        send({ jsonrpc: '2.0', id, method: 'node.events', params: [{ limit: 1_000_000 }] })
    }
    await until(() => small.endedStreams() > 0)
    assert.ok(server.unreadBytes > ALL_UNREAD_BYTES_MAX / 2)
    assert.ok(server.unreadBytes <= ALL_UNREAD_BYTES_MAX + SMALL_ANSWER_BYTES_MAX * hogs.length, `${server.unreadBytes}`)
    assert.equal((await (await connectNode(directory)).node.status()).id, 'ab')
    for (const { socket } of hogs) socket.destroy()
    await until(() => small.endedStreams() === hogs.length * CALLS_MAX && server.unreadBytes === 0)
    process.off('warning', warned)
    assert.deepEqual(warnings, [])
  })

  it('gives every item of a long listing, in order', async () => {
    const { node } = await connectNode(directory)
    let last = 0
    for await (const { seq } of node.events({ limit: 20_000 })) {
      assert.equal(seq, last + 1)
      last = seq
    }
    assert.equal(last, 20_000)
  })

  it('ends open calls when it closes, and the caller learns of it', async () => {
    const { node } = await connectNode(directory)
    const notices = node.notices({})[Symbol.asyncIterator]()
    await notices.next()
    const ending = notices.next()
    const rejected = assert.rejects(ending, (error) => error instanceof ControlError && error.code === 'GONE')
    await server[Symbol.asyncDispose]()
    await rejected
  })

  it('waits when it closes until each caller has taken what was written for it, and not for ever', async () => {
    const reading = caller(server.path)
    const silent = createConnection({ path: server.path, allowHalfOpen: true }).on('error', () => {})
    await new Promise((resolve) => silent.once('connect', resolve))
    reading.socket.pause()
    // More than the system holds for a caller that does not read.
    const peer = 'x'.repeat(4_000_000)
    reading.send({ jsonrpc: '2.0', id: 1, method: 'node.explain', params: [peer] })
    await until(() => small.explained() === 1 && server.connections === 2)
    const answered = reading.answer()
    const closing = server[Symbol.asyncDispose]()
    assert.equal(server.connections, 2)
    reading.socket.resume()
    assert.equal((await answered).result.peer.length, peer.length)
    const startedAt = performance.now()
    await closing
    assert.equal(server.connections, 0)
    assert.ok(performance.now() - startedAt < 2000)
    silent.destroy()
  })

  it('gives up on a node that does not answer, when it is told to', async () => {
    const { node } = await connectNode(directory, { answerMsMax: 30 })
    const notices = node.notices({})[Symbol.asyncIterator]()
    await notices.next()
    await assert.rejects(notices.next(), (error) => error instanceof ControlError && error.code === 'TOO_SLOW')
  })

  it('tells a node that is stuck from one that does not run', async () => {
    await server[Symbol.asyncDispose]()
    const stuck = createServer((socket) => void socket.on('error', () => {}).resume())
    await new Promise<void>((resolve) => stuck.listen(server.path, resolve))
    await assert.rejects(
      connectNode(directory, { answerMsMax: 30 }),
      (error) =>
        error instanceof ControlError && error.code === 'TOO_SLOW' && /did not answer within 30 ms/.test(error.message),
    )
    await new Promise((resolve) => stuck.close(resolve))
  })

  describe('with as many callers as it takes', () => {
    const busy = (error: unknown) =>
      error instanceof ControlError && error.code === 'BUSY' && /it has \d+ callers and takes 64/.test(error.message)
    const sockets: Socket[] = []
    afterEach(() => {
      for (const socket of sockets.splice(0)) socket.destroy()
    })

    /** Callers who connect and say nothing. */
    const idle = async (count: number) => {
      const some = Array.from({ length: count }, () => caller(server.path))
      sockets.push(...some.map(({ socket }) => socket))
      await Promise.all(some.map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))))
      return some
    }
    /** Callers with a listing open. */
    const working = async (count: number) => {
      const some = await idle(count)
      for (const { send, answer } of some) {
        send({ jsonrpc: '2.0', id: 1, method: 'node.notices', params: [{}] })
        await answer()
      }
      return some
    }

    it('answers all that is asked while 64 are idle, and tells the one that makes room', async () => {
      const [first] = await idle(CALLERS_MAX)
      const { node } = await connectNode(directory)
      assert.equal((await node.status()).id, 'ab')
      assert.deepEqual(await node.scores(), [])
      const { error } = (await first?.answer()) ?? {}
      assert.equal(error.code, RPC.busy)
      assert.match(error.message, /made room for another/)
      await closed(first?.socket as Socket)
    })

    it('refuses others while 64 have calls open, and still tells its status and stops', async () => {
      await working(CALLERS_MAX)
      const { node } = await connectNode(directory)
      assert.equal((await node.status()).id, 'ab')
      await assert.rejects(node.scores(), busy)
      await node.stop()
      assert.equal(small.stops(), 1)
      const [raw] = await idle(1)
      raw?.send({ jsonrpc: '2.0', id: 9, method: 'node.scores', params: [] })
      const { id, error } = (await raw?.answer()) ?? {}
      assert.deepEqual([id, error.code, error.data], [9, RPC.busy, { code: 'busy' }])
      await closed(raw?.socket as Socket)
    })

    it('asks again by itself, and is answered once a place is free', async () => {
      const [first] = await working(CALLERS_MAX)
      const { node } = await connectNode(directory)
      const asked = node.scores()
      setImmediate(() => first?.socket.destroy())
      assert.deepEqual(await asked, [])
    })

    it('has one line for a caller beyond the reserved places, and hangs up', async () => {
      await working(CALLERS_MAX)
      await idle(RESERVED_MAX)
      const [one] = await idle(1)
      const { id, error } = (await one?.answer()) ?? {}
      assert.deepEqual([id, error.code], [null, RPC.busy])
      await closed(one?.socket as Socket)
      await (await connectNode(directory)).node.stop()
      assert.equal(small.stops(), 1)
    })

    it('takes a thousand at once, holds no more than 128, and stops when told to', async () => {
      const connecting = Array.from({ length: 1000 }, () => {
        const socket = createConnection({ path: server.path })
        sockets.push(socket)
        // The system itself refuses some: EAGAIN.
        return new Promise((resolve) => socket.once('connect', resolve).once('error', resolve))
      })
      await (await connectNode(directory)).node.stop()
      assert.equal(small.stops(), 1)
      await Promise.all(connecting)
      const most = CALLERS_MAX + RESERVED_MAX + LEAVING_MAX
      assert.equal(most, 128)
      assert.ok(server.connections <= most, `${server.connections}`)
      await (await connectNode(directory)).node.status()
    })

    it('cuts those who were told to go and stay', async () => {
      await working(CALLERS_MAX)
      const stubborn = Array.from({ length: RESERVED_MAX + LEAVING_MAX + 1 }, () =>
        createConnection({ path: server.path, allowHalfOpen: true }).on('error', () => {}),
      )
      sockets.push(...stubborn)
      const last = stubborn.at(-1) as Socket
      await new Promise((resolve) => last.once('data', resolve))
      assert.equal(server.connections, CALLERS_MAX + RESERVED_MAX + LEAVING_MAX)
      await until(() => server.connections === CALLERS_MAX + RESERVED_MAX)
    })
  })

  it('knows an answer that is none', async () => {
    await server[Symbol.asyncDispose]()
    const stranger = createServer((socket) =>
      socket
        .on('error', () => {})
        .resume()
        .end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    )
    await new Promise<void>((resolve) => stranger.listen(server.path, resolve))
    const { node } = await connectNode(directory)
    await assert.rejects(node.status(), (error) => error instanceof ControlError && error.code === 'BAD_ANSWER')
    await new Promise((resolve) => stranger.close(resolve))
  })

  it('lives on, whatever bytes it is sent', async () => {
    const method = fc.constantFrom(
      'node.status',
      'node.events',
      'node.explain',
      'node.verify',
      'node.stats',
      'client.add',
      '__proto__',
    )
    const call = fc
      .record({
        jsonrpc: fc.constant('2.0'),
        id: fc.jsonValue(),
        method,
        params: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
      })
      .map((message) => JSON.stringify(message))
    const line = fc.oneof(call, fc.json(), fc.string()).map((text) => new TextEncoder().encode(`${text}\n`))
    const bytes = fc.oneof(line, fc.uint8Array({ maxLength: 200, size: 'max' }))
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { maxLength: 20, size: 'max' }), async (chunks) => {
        const { socket } = caller(server.path)
        socket.resume()
        for (const chunk of chunks) socket.write(chunk)
        socket.end()
        await closed(socket)
      }),
      { numRuns: 100 },
    )
    assert.equal((await (await connectNode(directory)).node.status()).id, 'ab')
  })
})
