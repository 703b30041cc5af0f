import { createSocket } from 'node:dgram'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

// Trackers and web seeds that do what they should not: each at a path of its own, of one server on loopback.

type Answer = (request: IncomingMessage, response: ServerResponse, here: string) => void

/** Written as long as the other side reads. */
function endless(response: ServerResponse, chunk: Uint8Array): void {
  const more = () => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once('drain', more)
  }
  more()
}

/** A byte now and then, for ever. */
function drips(response: ServerResponse, first: string): void {
  response.write(first)
  const timer = setInterval(() => response.write('1'), 50)
  response.once('close', () => clearInterval(timer))
}

const compact = (...peers: readonly number[][]) => Buffer.from(peers.flat())
const bencoded = (peers: Buffer, interval = 1_800) =>
  Buffer.concat([Buffer.from(`d8:intervali${interval}e5:peers${peers.length}:`), peers, Buffer.from('e')])

const TRACKERS: Readonly<Record<string, Answer>> = {
  endless: (_, response) => endless(response, Buffer.alloc(65_536, 'i')),
  'endless-headers': (_, response) => {
    response.socket?.write('HTTP/1.1 200 OK\r\n')
    response.socket?.write(`X: ${'x'.repeat(1_000_000)}\r\n`)
  },
  circle: (_, response, here) => void response.writeHead(302, { location: here }).end(),
  'to-a-file': (_, response) => void response.writeHead(301, { location: 'file:///etc/passwd' }).end(),
  'interval-0': (_, response) => void response.end(bencoded(Buffer.alloc(0), 0)),
  'interval-minus': (_, response) => void response.end(bencoded(Buffer.alloc(0), -1)),
  'interval-huge': (_, response) => void response.end(bencoded(Buffer.alloc(0), 2 ** 52)),
  // Nobody, all hosts, all of them again, port 0, the discard port here, and half a peer.
  'nobodys-peers': (_, response) => {
    const nobody = [
      [0, 0, 0, 0, 1, 1],
      [224, 0, 0, 1, 1, 1],
      [255, 255, 255, 255, 1, 1],
      [127, 0, 0, 1, 0, 0],
      [127, 0, 0, 1, 0, 9],
    ]
    response.end(bencoded(Buffer.concat([compact(...nobody), Buffer.from([1, 2, 3])])))
  },
  'a-megabyte-of-peers': (_, response) => void response.end(bencoded(Buffer.alloc(1_000_002, 7))),
  'as-many-peers-as-fit': (_, response) => void response.end(bencoded(Buffer.alloc(240_000, 127))),
  'names-for-peers': (_, response) => void response.end('d5:peersld2:ip9:localhost4:porti1eed2:ip3:::14:porti99999eeee'),
  drip: (_, response) => drips(response, 'd8:intervali'),
  silent: () => {},
  'cut-off': (_, response) => {
    response.writeHead(200, { 'content-length': 1_000 }).write('d8:')
    response.destroy()
  },
  'a-bomb': (_, response) =>
    void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000, 'i'))),
  'deep-lists': (_, response) => void response.end('l'.repeat(200_000)),
  'a-long-reason': (_, response) => void response.end(`d14:failure reason200000:${'\x1b[31m'.repeat(40_000)}e`),
}

const WEB_SEEDS: Readonly<Record<string, Answer>> = {
  endless: (_, response) => {
    response.writeHead(206)
    endless(response, Buffer.alloc(65_536, 'w'))
  },
  'wrong-bytes': (request, response) => {
    const [, from = 0, to = 0] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    response.writeHead(206).end(Buffer.alloc(Number(to) - Number(from) + 1, 'w'))
  },
  'another-range': (_, response) =>
    void response.writeHead(206, { 'content-range': 'bytes 999999999-1000000000/1' }).end(Buffer.alloc(10, 'w')),
  circle: (_, response, here) => void response.writeHead(302, { location: here }).end(),
  'to-a-file': (_, response) => void response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
  'to-nowhere': (_, response) => void response.writeHead(302, { location: 'http://[' }).end(),
  'all-of-it': (_, response) => {
    response.writeHead(200)
    endless(response, Buffer.alloc(65_536, 'w'))
  },
  packed: (_, response) =>
    void response.writeHead(206, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000, 'w'))),
  drip: (_, response) => {
    response.writeHead(206)
    drips(response, 'w')
  },
  silent: () => {},
  'cut-off': (_, response) => {
    response.writeHead(206, { 'content-length': 1_000_000 }).write('w')
    setImmediate(() => response.destroy())
  },
}

export async function hostileSources() {
  const asked = new Map<string, number>()
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://x').pathname
    asked.set(path, (asked.get(path) ?? 0) + 1)
    request.socket.on('error', () => {})
    response.on('error', () => {})
    const tracker = TRACKERS[path.replace(/^\/announce-/, '')]
    const webSeed = WEB_SEEDS[path.replace(/^\/web-/, '').split('/')[0] ?? '']
    const answer = path.startsWith('/announce-') ? tracker : webSeed
    if (answer === undefined) response.writeHead(404).end()
    else answer(request, response, request.url ?? '/')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  // Over UDP: it answers with anything but an answer, a thousand times, and then connects for ever.
  const udp = createSocket('udp4')
  udp.on('message', (question, from) => {
    for (let at = 0; at < 200; at++) udp.send(Buffer.alloc(at * 6, at), from.port, from.address)
    const answer = Buffer.alloc(16)
    question.copy(answer, 4, 12, 16)
    udp.send(answer, from.port, from.address)
  })
  await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve))

  return {
    trackers: [...Object.keys(TRACKERS).map((name) => `${at}/announce-${name}`), `udp://127.0.0.1:${udp.address().port}`],
    webSeeds: Object.keys(WEB_SEEDS).map((name) => `${at}/web-${name}`),
    /** By path. */
    asked,
    async close() {
      udp.close()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
