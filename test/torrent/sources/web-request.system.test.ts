import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { text } from 'node:stream/consumers'
import type { Reach } from '../../../src/torrent/endpoint.ts'
import { openRequest } from '../../../src/torrent/sources/web-request.system.ts'

describe('a request for a stranger', () => {
  const closes: (() => void)[] = []
  afterEach(() => {
    for (const close of closes.splice(0)) close()
  })

  const serve = async (host: string, answer: (request: IncomingMessage, response: ServerResponse) => void) => {
    let asked = 0
    const server = createServer((request, response) => {
      asked++
      answer(request, response)
    })
    await new Promise<void>((resolve) => server.listen(0, host, resolve))
    closes.push(() => {
      server.closeAllConnections()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    return { port, url: `http://${host.includes(':') ? `[${host}]` : host}:${port}/`, asked: () => asked }
  }
  const open = (url: string, from: Reach = 'machine', follows = true) =>
    openRequest(url, { headers: {}, from, follows, signal: AbortSignal.timeout(5_000) })

  it('is answered where it leads, through redirects of every kind', async () => {
    const end = await serve('127.0.0.1', (_, response) => void response.end('here'))
    const start = await serve('127.0.0.1', (request, response) => {
      const left = Number(request.url?.slice(1))
      const location = left === 0 ? end.url : `/${left - 1}`
      response.writeHead([301, 302, 303, 307, 308][left] ?? 302, { location }).end()
    })
    assert.equal(await text(await open(`${start.url}4`)), 'here')
    await assert.rejects(open(`${start.url}5`), /more than 5 times/)
    const unfollowed = await open(`${start.url}0`, 'machine', false)
    assert.equal(unfollowed.statusCode, 301)
    unfollowed.destroy()
  })

  for (const [url, from] of [
    ['http://127.0.0.1:PORT/', 'world'],
    ['http://127.0.0.1:PORT/', 'site'],
    ['http://localhost:PORT/', 'world'],
    ['http://localhost:PORT/', 'site'],
    ['http://0.0.0.0:PORT/', 'world'],
    ['http://[::ffff:127.0.0.1]:PORT/', 'world'],
    ['http://2130706433:PORT/', 'world'],
    ['http://0x7f.1:PORT/', 'site'],
  ] as const) {
    it(`does not reach ${url} from ${from}`, async () => {
      const inside = await serve('127.0.0.1', (_, response) => void response.end('secret'))
      await assert.rejects(open(url.replace('PORT', String(inside.port)), from), /leads to this machine or its network/)
      assert.equal(inside.asked(), 0)
    })
  }

  for (const url of [
    'http://10.0.0.1/',
    'http://192.168.1.1/',
    'http://169.254.169.254/latest',
    'http://[fd00::1]/',
    'http://[fe80::1]/',
  ])
    it(`does not reach ${url} from the world`, () => assert.rejects(open(url, 'world'), /leads to this machine or its network/))

  const outside = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address
  it('is led to nothing nearer than the server that leads it', async function () {
    if (outside === undefined) this.skip()
    const inside = await serve('127.0.0.1', (_, response) => void response.end('secret'))
    for (const location of [inside.url, `http://localhost:${inside.port}/`]) {
      const server = await serve(outside, (_, response) => void response.writeHead(302, { location }).end())
      await assert.rejects(open(server.url), /leads to this machine or its network/)
      assert.equal(server.asked(), 1)
    }
    assert.equal(inside.asked(), 0)
    const back = await serve('127.0.0.1', (_, response) => void response.writeHead(302, { location: inside.url }).end())
    assert.equal(await text(await open(back.url)), 'secret')
  })

  for (const location of ['file:///etc/passwd', 'ftp://127.0.0.1/', 'data:,x', 'http://['])
    it(`is not led to ${location}`, async () => {
      const server = await serve('127.0.0.1', (_, response) => void response.writeHead(302, { location }).end())
      await assert.rejects(open(server.url), /none of the web/)
    })

  it('ends with its signal', async () => {
    const server = await serve('127.0.0.1', () => {})
    const ending = new AbortController()
    const asked = openRequest(server.url, { headers: {}, from: 'machine', follows: true, signal: ending.signal })
    ending.abort(new Error('enough'))
    await assert.rejects(asked, (error: Error) => error.name === 'AbortError' || error.message === 'enough')
  })
})
