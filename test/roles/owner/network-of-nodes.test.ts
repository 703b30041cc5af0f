import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportLog } from '../../../src/cli/services/export-log.ts'
import {
  decodeJoinString,
  type Joining,
  type Millis,
  type NodeId,
  type NodeRole,
  networkIdOf,
} from '../../../src/events/index.ts'
import { keyOfSeed, randomSeed, sha256 } from '../../../src/events/keys/signer.sodium.ts'
import { systemClock, systemTimers } from '../../../src/events/model/time.system.ts'
import { createHyperswarmTransport, type HyperswarmTransport } from '../../../src/network/transport.hyperswarm.ts'
import type { Doorkeeper } from '../../../src/network/transport.ts'
import { startNode } from '../../../src/roles/compose.ts'
import { importLog } from '../../../src/roles/compose-import.ts'
import { openStoppedNode } from '../../../src/roles/compose-stopped.ts'
import { describeDirectory } from '../../../src/roles/directory/data-directory.fs.ts'
import { type Progressive, ServiceError } from '../../../src/roles/index.ts'
import { joiningBy } from '../../../src/roles/owner/joining.ts'
import { createOwnerFolder, type OwnerFolder, openOwnerFolder } from '../../../src/roles/owner/owner-folder.fs.ts'
import type { RunningNode, StartOptions } from '../../../src/roles/start.ts'
import { Recorder } from '../../network/transport.contract.ts'
import { until } from '../until.ts'

const HOST = '127.0.0.1'
const NEVER = 0 as Millis
const now = () => Date.now() as Millis

async function resultOf<R>(call: Progressive<unknown, R>): Promise<R> {
  for (;;) {
    const { done, value } = await call.next()
    if (done) return value as R
  }
}

const authorsIn = async (node: RunningNode): Promise<Set<NodeId>> => {
  const authors = new Set<NodeId>()
  for await (const { author } of node.node.events({})) authors.add(author as NodeId)
  return authors
}
const idOf = async (node: RunningNode): Promise<NodeId> => (await node.node.status()).id

// Real nodes on loopback, each with a data directory, a log and sockets of its own.
describe('a network of nodes', function () {
  this.timeout(60_000)
  let root: string
  const open: AsyncDisposable[] = []
  const at = (name: string) => join(root, name)

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'p2pt-network-'))
  })
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]()
    rmSync(root, { recursive: true, force: true })
  })

  const ownerOf = (name: string, more: { open?: boolean } = {}): OwnerFolder => {
    createOwnerFolder(at(name), { name, open: false, bootstraps: [], ...more }, now())
    return openOwnerFolder(at(name), now)
  }
  const invited = (owner: OwnerFolder, role: 'member' | 'client', expiresAt: Millis = NEVER): Joining =>
    joiningBy(decodeJoinString(owner.invite({ role, name: role, expiresAt }).join, sha256))
  const start = async (role: NodeRole, name: string, more: Partial<StartOptions>): Promise<RunningNode> => {
    const place = { role, dataDirectory: at(name), host: HOST, port: 0, bootstrap: [], logLevel: 'silent' } as const
    const node = await startNode({ ...place, ...more }, new AbortController().signal)
    open.push(node)
    return node
  }
  const stop = async (node: RunningNode) => {
    open.splice(open.indexOf(node), 1)
    await node[Symbol.asyncDispose]()
  }
  const entry = async (node: RunningNode) => {
    const { endpoint } = await node.node.status()
    assert.ok(endpoint)
    return [endpoint]
  }
  const isLinked = async (node: RunningNode, peer: NodeId) => (await node.node.links()).some((link) => link.peer === peer)
  /** A peer with links and no node behind it. */
  const peer = async (door: Doorkeeper, seed = randomSeed()): Promise<{ transport: HyperswarmTransport; seen: Recorder }> => {
    const options = {
      seed,
      role: 'client',
      host: HOST,
      port: 0,
      bootstrap: [],
      clock: systemClock,
      timers: systemTimers,
      door,
    } as const
    const transport = createHyperswarmTransport(options)
    const seen = new Recorder()
    transport.listen(seen)
    await transport.start(new AbortController().signal)
    open.push(transport)
    return { transport, seen }
  }

  it('refuses strangers with one reason, and keeps nothing of them', async () => {
    const owner = ownerOf('herbs')
    const other = ownerOf('weeds')
    const bootstrap = await start('bootstrap', 'b', { joining: invited(owner, 'member') })
    const self = await idOf(bootstrap)
    const [endpoint] = await entry(bootstrap)
    const before = (await bootstrap.node.status()).log.head
    const shown: readonly [why: string, credentialOf: (node: NodeId) => Uint8Array][] = [
      ['missing', () => new Uint8Array()],
      ['forged', (node) => invited(other, 'member').credentialOf(node)],
      ['forged', () => invited(owner, 'client').credentialOf(keyOfSeed(randomSeed()))],
      ['malformed', () => new Uint8Array([1, 2, 3])],
      ['malformed', () => new Uint8Array(60_000)],
      ['expired', (node) => invited(owner, 'client', 1 as Millis).credentialOf(node)],
    ]
    for (const [why, credentialOf] of shown) {
      const seed = randomSeed()
      const stranger = await peer({ credential: credentialOf(keyOfSeed(seed)), refusal: () => undefined }, seed)
      assert.equal(await stranger.transport.dial(self, endpoint), false, why)
      await stranger.seen.until(() => stranger.seen.refusals.length > 0)
      assert.deepEqual(stranger.seen.refusals, [{ peer: self, why, by: 'peer' }])
      assert.deepEqual([stranger.seen.up, stranger.seen.messages], [[], []])
    }
    const { heldOff, links, log } = await bootstrap.node.status()
    assert.deepEqual(heldOff.map((row) => row.why).sort(), shown.map(([why]) => why).sort())
    assert.equal(links, 0)
    assert.deepEqual(await authorsIn(bootstrap), new Set([self]))
    assert.ok(log.head >= before)
  })

  it('puts a revoked node out of all links within 10 s, tells it why, and takes it back with a new invitation under a new key', async () => {
    const owner = ownerOf('herbs')
    const bootstrap = await start('bootstrap', 'b', { joining: invited(owner, 'member') })
    const entries = { bootstrap: await entry(bootstrap) }
    const index = await start('index', 'i', { joining: invited(owner, 'member'), ...entries })
    const client = await start('client', 'c', { joining: invited(owner, 'client'), ...entries })
    const honest = [bootstrap, index]
    const revoked = await idOf(client)
    const isOn = async () => (await Promise.all(honest.map((node) => isLinked(node, revoked)))).some(Boolean)
    await until(
      'all are linked',
      async () => (await Promise.all(honest.map((node) => isLinked(node, revoked)))).every(Boolean),
      20_000,
    )
    await until(
      'all know it',
      async () =>
        (await Promise.all(honest.map((node) => node.node.network()))).every(({ admitted }) =>
          admitted.some(({ node }) => node === revoked),
        ),
      20_000,
    )

    const { revocation, ownerSignature } = owner.revoke(revoked, 'has left us')
    const startedAt = performance.now()
    const view = await bootstrap.node.revoke(
      Buffer.from(revocation).toString('base64'),
      Buffer.from(ownerSignature).toString('base64'),
    )
    assert.equal(view.admitted.find(({ node }) => node === revoked)?.state, 'revoked')
    await until('it is off all links', async () => !(await isOn()), 10_000)
    assert.ok(performance.now() - startedAt < 10_000)
    const network = await index.node.network()
    assert.deepEqual(
      network.revoked.map(({ key, reason }) => [key, reason]),
      [[revoked, 'has left us']],
    )
    await until(
      'it says why',
      async () => /has revoked the admission of this node/.test((await client.node.status()).waitingFor ?? ''),
      20_000,
    )
    // It stays out: of the looks of ten seconds none sees it linked.
    const end = Date.now() + 5_000
    while (Date.now() < end) {
      assert.equal(await isOn(), false)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    await stop(client)
    const again = await start('client', 'd', { joining: invited(owner, 'client'), ...entries })
    await until('it is back', async () => isLinked(bootstrap, await idOf(again)), 20_000)
  })

  it('puts out every node of a revoked invitation, and takes one back that was invited anew', async () => {
    const owner = ownerOf('herbs')
    const bootstrap = await start('bootstrap', 'b', { joining: invited(owner, 'member') })
    const entries = { bootstrap: await entry(bootstrap) }
    const { invitation, join: text } = owner.invite({ role: 'client', name: 'guests', expiresAt: NEVER })
    const guests = joiningBy(decodeJoinString(text, sha256))
    const clients = [
      await start('client', 'c1', { joining: guests, ...entries }),
      await start('client', 'c2', { joining: guests, ...entries }),
    ]
    const ids = await Promise.all(clients.map(idOf))
    await until('both are in', async () => (await Promise.all(ids.map((id) => isLinked(bootstrap, id)))).every(Boolean), 20_000)
    const word = owner.revoke(invitation, '')
    await bootstrap.node.revoke(
      Buffer.from(word.revocation).toString('base64'),
      Buffer.from(word.ownerSignature).toString('base64'),
    )
    await until(
      'both are out',
      async () => !(await Promise.all(ids.map((id) => isLinked(bootstrap, id)))).some(Boolean),
      10_000,
    )
    for (const client of clients) await stop(client)
    // The string still decodes, and admits nobody.
    const late = await start('client', 'c3', { joining: guests, ...entries })
    const lateId = await idOf(late)
    await until('the third is told', async () => /has revoked/.test((await late.node.status()).waitingFor ?? ''), 20_000)
    assert.equal(await isLinked(bootstrap, lateId), false)
    assert.equal((await authorsIn(bootstrap)).has(lateId), false)
    const [first] = ids
    assert.ok(first)
    const renewed = await start('client', 'c1', { joining: invited(owner, 'client'), ...entries })
    await until('the first is back', () => isLinked(bootstrap, first), 40_000)
    await until(
      'its word counts again',
      async () => (await bootstrap.node.network()).admitted.find(({ node }) => node === first)?.state === 'admitted',
      20_000,
    )
    assert.equal(await idOf(renewed), first, 'under its own key')
  })

  it('gives newcomers the word of an owner that was passed on by a node which was revoked itself', async () => {
    const owner = ownerOf('herbs')
    const bootstrap = await start('bootstrap', 'b', { joining: invited(owner, 'member') })
    const entries = { bootstrap: await entry(bootstrap) }
    const index = await start('index', 'i', { joining: invited(owner, 'member'), ...entries })
    await until('they are linked', async () => isLinked(bootstrap, await idOf(index)), 20_000)
    const gone = keyOfSeed(randomSeed())
    const revoke = async (by: RunningNode, key: NodeId) => {
      const { revocation, ownerSignature } = owner.revoke(key, '')
      await by.node.revoke(Buffer.from(revocation).toString('base64'), Buffer.from(ownerSignature).toString('base64'))
    }
    const knows = async (node: RunningNode, key: NodeId) => (await node.node.network()).revoked.some((row) => row.key === key)
    await revoke(index, gone)
    await until('the bootstrap has heard it', () => knows(bootstrap, gone), 20_000)
    const passedOnBy = await idOf(index)
    await revoke(bootstrap, passedOnBy)
    await stop(index)
    const newcomer = await start('index', 'n', { joining: invited(owner, 'member'), ...entries })
    const isTold = async () => (await knows(newcomer, gone)) && (await knows(newcomer, passedOnBy))
    await until('the newcomer knows both', isTold, 20_000)
  })

  it('ends links of a node whose invitation expires while it is linked', async () => {
    const owner = ownerOf('herbs')
    const bootstrap = await start('bootstrap', 'b', { joining: invited(owner, 'member') })
    const expiresAt = (Date.now() + 6_000) as Millis
    const client = await start('client', 'c', {
      joining: invited(owner, 'client', expiresAt),
      bootstrap: await entry(bootstrap),
    })
    const id = await idOf(client)
    await until('it is linked', () => isLinked(bootstrap, id), 5_500)
    await until('it is out', async () => !(await isLinked(bootstrap, id)), 20_000)
    assert.ok(Date.now() >= expiresAt)
    await stop(client)
    const late = startNode(
      { role: 'client', dataDirectory: at('c'), host: HOST, port: 0, bootstrap: await entry(bootstrap), logLevel: 'silent' },
      new AbortController().signal,
    )
    await assert.rejects(late, {
      name: 'ServiceError',
      message: /the invitation of this node to the network "herbs" has expired.*ask its owner/,
    })
  }).timeout(90_000)

  it('that is open takes clients without an invitation, and members never', async () => {
    const owner = ownerOf('common', { open: true })
    const bootstrap = await start('bootstrap', 'b', { joining: invited(owner, 'member') })
    const entries = { bootstrap: await entry(bootstrap) }
    const genesis = new Uint8Array(Buffer.from((await bootstrap.node.status()).network.genesis, 'hex'))
    const anybody: Joining = { genesis, bootstraps: [], credentialOf: () => new Uint8Array() }
    const client = await start('client', 'c', { joining: anybody, ...entries })
    const id = await idOf(client)
    await until('the client is in', () => isLinked(bootstrap, id), 20_000)
    await assert.rejects(start('index', 'i', { joining: anybody, ...entries }), {
      name: 'ServiceError',
      message: /lets in nodes of role index by invitation only: ask its owner/,
    })
    assert.deepEqual((await client.node.status()).network.invitation, null)
  })

  it('belongs to its data directory: a node of another one is refused with nothing changed', async () => {
    const [herbs, weeds] = [ownerOf('herbs'), ownerOf('weeds')]
    await stop(await start('bootstrap', 'b', { joining: invited(herbs, 'member') }))
    const contents = () =>
      readdirSync(at('b'), { recursive: true, withFileTypes: true })
        .filter((each) => each.isFile())
        .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name), 'base64')])
    const before = contents()
    await assert.rejects(start('bootstrap', 'b', { joining: invited(weeds, 'member') }), {
      name: 'ServiceError',
      code: 'usage',
      message: /the node in .*b belongs to the network "herbs", not to "weeds": give another directory with --data/,
    })
    assert.deepEqual(contents(), before)
    // And a log under the record of another network is none of its own.
    cpSync(at('b'), at('moved'), { recursive: true })
    const other = describeDirectory(at('b'))
    const node = JSON.parse(readFileSync(at('moved/node.json'), 'utf8'))
    const joining = invited(weeds, 'member')
    const credential = Buffer.from(joining.credentialOf(other.id)).toString('base64')
    const network = networkIdOf(joining.genesis, sha256)
    writeFileSync(
      at('moved/node.json'),
      JSON.stringify({ ...node, network, genesis: Buffer.from(joining.genesis).toString('base64'), credential }),
    )
    await using stopped = await openStoppedNode(at('moved'))
    const { intact, problems } = await resultOf(stopped.verify({ signatures: true }))
    assert.equal(intact, false, JSON.stringify(problems))
  })

  it('takes no export of another network', async () => {
    const [herbs, weeds] = [ownerOf('herbs'), ownerOf('weeds')]
    await stop(await start('bootstrap', 'b', { joining: invited(herbs, 'member') }))
    await stop(await start('bootstrap', 'w', { joining: invited(weeds, 'member') }))
    await using source = await openStoppedNode(at('b'))
    const state = async () => {
      await using node = await openStoppedNode(at('w'))
      const { events, headDigest, intact } = await resultOf(node.verify({ signatures: true }))
      return [readFileSync(at('w/node.json'), 'utf8'), events, headDigest, intact]
    }
    for (const format of ['bundle', 'ndjson'] as const) {
      const file = at(`b.${format}`)
      await exportLog({ queries: source, id: source.id, genesis: source.joined.genesis }, {}, { format, file })
      const before = await state()
      await assert.rejects(resultOf(importLog(at('w'), { file, withoutPrivate: true })), (error) => {
        assert.ok(error instanceof ServiceError)
        assert.equal(error.code, 'usage')
        assert.match(error.message, /are of another network than the node: nothing was imported/)
        return true
      })
      assert.deepEqual(await state(), before)
    }
  })
})
