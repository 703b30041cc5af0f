import { lookup } from 'node:dns'
import { Agent, type IncomingMessage, request } from 'node:http'
import { request as requestSecurely, Agent as SecureAgent } from 'node:https'
import type { LookupFunction } from 'node:net'
import { type Reach, reachOf } from '../endpoint.ts'

// GET for a stranger: a torrent's author names the address, and the server that is there names the next. None of them may send us to
// what is nearer to us than it is itself: services of this machine and of its network take what comes from inside for a friend's.

const REDIRECTS_MAX = 5
const FROM_NEAR: readonly Reach[] = ['machine', 'site', 'world']

export type WebRequest = {
  headers: Readonly<Record<string, string>>
  /** What may be reached: nothing nearer than this. */
  from: Reach
  /** Whether a server may send us elsewhere; if not, its answer is given as it is. */
  follows: boolean
  signal: AbortSignal
}

/** @returns the answer, whose body is read or destroyed by the caller @throws Error, a sentence; the signal's reason */
export async function openRequest(address: string, options: WebRequest): Promise<IncomingMessage> {
  let { from } = options
  let url = new URL(address)
  for (let redirects = 0; ; redirects++) {
    const response = await answerOf(url, { ...options, from })
    const next = response.headers.location
    const isElsewhere = [301, 302, 303, 307, 308].includes(response.statusCode ?? 0) && next !== undefined
    if (!isElsewhere || !options.follows) return response
    from = farther(from, reachOf(response.socket.remoteAddress ?? ''))
    response.destroy()
    if (redirects === REDIRECTS_MAX) throw new Error(`it sends us elsewhere more than ${REDIRECTS_MAX} times in a row`)
    const moved = URL.parse(next, url.href)
    if (moved === null || !/^https?:$/.test(moved.protocol))
      throw new Error('it sends us elsewhere, to an address none of the web')
    url = moved
  }
}

/** One question and its answer, without what a redirect says. */
function answerOf(url: URL, { headers, from, signal }: WebRequest): Promise<IncomingMessage> {
  const isSecure = url.protocol === 'https:'
  return new Promise((resolve, reject) => {
    // An address is not looked up.
    if (!isReachable(url.hostname.replace(/^\[|\]$/g, ''), from)) throw new Error(TOO_NEAR)
    const asked = (isSecure ? requestSecurely : request)(
      url,
      { headers, signal, lookup: lookupFrom(from), agent: agents(from)[isSecure ? 'https' : 'http'] },
      resolve,
    )
    asked.on('error', (error: Error & { code?: string }) => {
      reject(
        signal.aborted || error.message === TOO_NEAR
          ? error
          : new Error(`it cannot be reached: ${error.code ?? error.message}`),
      )
    })
    asked.end()
  })
}

const TOO_NEAR = 'it leads to this machine or its network, from outside of it'

const farther = (one: Reach, other: Reach): Reach => (FROM_NEAR.indexOf(other) > FROM_NEAR.indexOf(one) ? other : one)

const isReachable = (host: string, from: Reach): boolean => FROM_NEAR.indexOf(reachOf(host)) >= FROM_NEAR.indexOf(from)

/** Asked when the connection is made, so that a name cannot mean one address here and another there. */
const lookupFrom =
  (from: Reach): LookupFunction =>
  (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        done(error, '', 0)
        return
      }
      const allowed = addresses.filter(({ address }) => isReachable(address, from))
      const [first] = allowed
      if (first === undefined) done(new Error(TOO_NEAR), '', 0)
      else if (options.all === true) done(null, allowed)
      else done(null, first.address, first.family)
    })
  }

const AGENTS = new Map<Reach, { http: Agent; https: SecureAgent }>()

/** Connections are kept for more of the same kind alone. */
function agents(from: Reach): { http: Agent; https: SecureAgent } {
  const known = AGENTS.get(from)
  if (known !== undefined) return known
  const options = { keepAlive: true, maxFreeSockets: 8, timeout: 30_000 }
  const made = { http: new Agent(options), https: new SecureAgent(options) }
  AGENTS.set(from, made)
  return made
}
