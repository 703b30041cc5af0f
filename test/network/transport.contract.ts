import assert from 'node:assert/strict'
import { CREDENTIAL_FAULTS, type CredentialFault, type NodeId } from '../../src/events/index.ts'
import {
  type Doorkeeper,
  type Endpoint,
  type Link,
  type LinkLoss,
  MESSAGE_BYTES_MAX,
  type Transport,
  type TransportEvents,
} from '../../src/network/index.ts'

/** Makes transports that can reach one another, for one test; disposing it disposes what is left of them. */
export interface TransportFixture extends AsyncDisposable {
  /** A new transport with a key of its own: not listened to and not started. It must not look for peers by itself. */
  create(door?: Doorkeeper): Promise<Transport>
}

/** Keeps what a transport told, and waits for conditions on it. */
export class Recorder implements TransportEvents {
  readonly up: Link[] = []
  readonly down: { peer: NodeId; why: LinkLoss }[] = []
  readonly messages: { from: NodeId; bytes: Uint8Array }[] = []
  readonly refusals: { peer: NodeId; why: CredentialFault; by: 'us' | 'peer' }[] = []
  #waiting: (() => void)[] = []

  linked(link: Link): void {
    this.up.push(link)
    this.#changed()
  }

  unlinked(peer: NodeId, why: LinkLoss): void {
    this.down.push({ peer, why })
    this.#changed()
  }

  refused(peer: NodeId, why: CredentialFault, by: 'us' | 'peer'): void {
    this.refusals.push({ peer, why, by })
    this.#changed()
  }

  message(from: NodeId, bytes: Uint8Array): void {
    this.messages.push({ from, bytes })
    this.#changed()
  }

  /** Resolves once `condition` holds; mocha's timeout ends a wait in vain. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #changed(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

type Started = { transport: Transport; seen: Recorder }

async function started(fixture: TransportFixture, door?: Doorkeeper): Promise<Started> {
  const transport = await fixture.create(door)
  const seen = new Recorder()
  transport.listen(seen)
  await transport.start(new AbortController().signal)
  return { transport, seen }
}

const dial = (from: Started, to: Started): Promise<boolean> => from.transport.dial(to.transport.self, to.transport.endpoint)

async function linkedPair(fixture: TransportFixture): Promise<[Started, Started]> {
  const a = await started(fixture)
  const b = await started(fixture)
  assert.equal(await dial(a, b), true)
  await a.seen.until(() => a.seen.up.length > 0)
  await b.seen.until(() => b.seen.up.length > 0)
  return [a, b]
}

const filled = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + seed) & 255)

/** What every transport must do. `open` is called once a test. */
export function transportContract(name: string, open: () => Promise<TransportFixture>): void {
  describe(`transport contract: ${name}`, () => {
    let fixture: TransportFixture
    beforeEach(async () => {
      fixture = await open()
    })
    afterEach(() => fixture[Symbol.asyncDispose]())

    it('has an endpoint once it is started, and none before', async () => {
      const transport = await fixture.create()
      assert.equal(transport.endpoint, undefined)
      transport.listen(new Recorder())
      await transport.start(new AbortController().signal)
      const endpoint: Endpoint | undefined = transport.endpoint as Endpoint | undefined
      assert.ok(endpoint !== undefined && endpoint.port > 0)
    })

    it('links two nodes, and each names the other by its key', async () => {
      const [a, b] = await linkedPair(fixture)
      assert.equal(a.seen.up[0]?.peer, b.transport.self)
      assert.equal(b.seen.up[0]?.peer, a.transport.self)
      assert.equal(a.seen.up[0]?.initiator, true)
      assert.equal(b.seen.up[0]?.initiator, false)
      assert.deepEqual(
        a.transport.links().map((link) => link.peer),
        [b.transport.self],
      )
    })

    it('reports one link when a linked node is dialled again', async () => {
      const [a, b] = await linkedPair(fixture)
      assert.equal(await dial(a, b), true)
      assert.equal(a.transport.links().length, 1)
      assert.equal(a.seen.up.length, 1)
    })

    it('ends with one link on each side when both dial at the same time', async () => {
      const a = await started(fixture)
      const b = await started(fixture)
      assert.deepEqual(await Promise.all([dial(a, b), dial(b, a)]), [true, true])
      const net = (side: Started) => side.seen.up.length - side.seen.down.length
      await a.seen.until(() => net(a) === 1)
      await b.seen.until(() => net(b) === 1)
      assert.equal(a.transport.send(b.transport.self, filled(10, 1)), true)
      await b.seen.until(() => b.seen.messages.length === 1)
      assert.equal(a.transport.links().length, 1)
      assert.equal(b.transport.links().length, 1)
    })

    it('carries messages both ways, whole and in order', async () => {
      const [a, b] = await linkedPair(fixture)
      for (let index = 0; index < 50; index++) assert.equal(a.transport.send(b.transport.self, filled(index * 7, index)), true)
      assert.equal(b.transport.send(a.transport.self, filled(33, 5)), true)
      await b.seen.until(() => b.seen.messages.length === 50)
      await a.seen.until(() => a.seen.messages.length === 1)
      b.seen.messages.forEach(({ from, bytes }, index) => {
        assert.equal(from, a.transport.self)
        assert.deepEqual(Uint8Array.from(bytes), filled(index * 7, index))
      })
      assert.deepEqual(Uint8Array.from(a.seen.messages[0]?.bytes ?? []), filled(33, 5))
    })

    it('carries a message of the longest size and refuses to send a longer one', async () => {
      const [a, b] = await linkedPair(fixture)
      assert.equal(a.transport.send(b.transport.self, filled(MESSAGE_BYTES_MAX + 1, 1)), false)
      assert.equal(a.transport.send(b.transport.self, filled(MESSAGE_BYTES_MAX, 2)), true)
      await b.seen.until(() => b.seen.messages.length > 0)
      assert.equal(b.seen.messages.length, 1)
      assert.deepEqual(Uint8Array.from(b.seen.messages[0]?.bytes ?? []), filled(MESSAGE_BYTES_MAX, 2))
    })

    /** Refuses everybody who shows this. */
    const refusing = (shown: number, why: CredentialFault): Doorkeeper => ({
      credential: new Uint8Array([1]),
      refusal: (_peer, credential) => (credential[0] === shown ? why : undefined),
    })
    const stranger: Doorkeeper = { credential: new Uint8Array([9]), refusal: () => undefined }

    it('shows each side the credential of the other, whole, before there is a link', async () => {
      const shown: { by: string; peer: NodeId; bytes: number[] }[] = []
      const door = (by: string, credential: Uint8Array): Doorkeeper => ({
        credential,
        refusal(peer, bytes) {
          shown.push({ by, peer, bytes: [...bytes] })
          return undefined
        },
      })
      const a = await started(fixture, door('a', filled(320, 1)))
      const b = await started(fixture, door('b', new Uint8Array()))
      assert.equal(await dial(a, b), true)
      await b.seen.until(() => b.seen.up.length > 0)
      assert.deepEqual(
        shown.toSorted((one, two) => (one.by < two.by ? -1 : 1)),
        [
          { by: 'a', peer: b.transport.self, bytes: [] },
          { by: 'b', peer: a.transport.self, bytes: [...filled(320, 1)] },
        ],
      )
    })

    for (const [who, dials] of [
      ['the one that dials', true],
      ['the one that is dialled', false],
    ] as const)
      it(`lets no stranger in, and tells ${who} why: no link on either side`, async () => {
        const host = await started(fixture, refusing(9, 'missing'))
        const guest = await started(fixture, stranger)
        assert.equal(dials ? await dial(guest, host) : await dial(host, guest), false)
        await guest.seen.until(() => guest.seen.refusals.length > 0)
        await host.seen.until(() => host.seen.refusals.length > 0)
        assert.deepEqual(host.seen.refusals, [{ peer: guest.transport.self, why: 'missing', by: 'us' }])
        assert.deepEqual(guest.seen.refusals, [{ peer: host.transport.self, why: 'missing', by: 'peer' }])
        for (const side of [host, guest]) {
          assert.deepEqual([side.seen.up, side.seen.down, side.seen.messages], [[], [], []])
          assert.deepEqual(side.transport.links(), [])
        }
        assert.equal(guest.transport.send(host.transport.self, filled(5, 1)), false)
        // Others come in as before.
        const friend = await started(fixture, refusing(9, 'missing'))
        assert.equal(await dial(friend, host), true)
      })

    it('tells every reason as it is', async () => {
      const guest = await started(fixture, stranger)
      for (const why of CREDENTIAL_FAULTS) {
        const host = await started(fixture, refusing(9, why))
        assert.equal(await dial(guest, host), false)
        await guest.seen.until(() => guest.seen.refusals.some(({ peer }) => peer === host.transport.self))
        assert.deepEqual(guest.seen.refusals.at(-1), { peer: host.transport.self, why, by: 'peer' })
      }
    })

    it('sends nothing without a link', async () => {
      const a = await started(fixture)
      const b = await started(fixture)
      assert.equal(a.transport.send(b.transport.self, filled(1, 1)), false)
    })

    it('tells both sides when a link is dropped, with the reason to the one who dropped it', async () => {
      const [a, b] = await linkedPair(fixture)
      a.transport.drop(b.transport.self, 'malformed')
      await a.seen.until(() => a.seen.down.length > 0)
      await b.seen.until(() => b.seen.down.length > 0)
      assert.deepEqual(a.seen.down, [{ peer: b.transport.self, why: 'malformed' }])
      assert.equal(b.seen.down[0]?.peer, a.transport.self)
      assert.equal(a.transport.links().length, 0)
      assert.equal(a.transport.send(b.transport.self, filled(1, 1)), false)
    })

    it('links again after a drop', async () => {
      const [a, b] = await linkedPair(fixture)
      a.transport.drop(b.transport.self, 'malformed')
      await b.seen.until(() => b.seen.down.length > 0)
      assert.equal(await dial(b, a), true)
      await a.seen.until(() => a.seen.up.length === 2)
      await b.seen.until(() => b.seen.up.length === 2)
    })

    it('drops a banned peer and keeps no link with it until it is unbanned', async () => {
      const [a, b] = await linkedPair(fixture)
      a.transport.ban(b.transport.self)
      await a.seen.until(() => a.seen.down.length === 1)
      await b.seen.until(() => b.seen.down.length === 1)
      assert.deepEqual(a.seen.down, [{ peer: b.transport.self, why: 'banned' }])
      assert.equal(await dial(a, b), false)
      await dial(b, a)
      assert.equal(a.transport.links().length, 0)
      assert.equal(a.seen.up.length, 1)
      a.transport.unban(b.transport.self)
      assert.equal(await dial(a, b), true)
      await a.seen.until(() => a.seen.up.length === 2)
    })

    it('tells the others when it is disposed, and cannot be dialled any more', async () => {
      const [a, b] = await linkedPair(fixture)
      const endpoint = b.transport.endpoint
      await b.transport[Symbol.asyncDispose]()
      await a.seen.until(() => a.seen.down.length > 0)
      assert.equal(a.seen.down[0]?.peer, b.transport.self)
      assert.equal(await a.transport.dial(b.transport.self, endpoint), false)
      assert.equal(b.transport.send(a.transport.self, filled(1, 1)), false)
    })
  })
}
