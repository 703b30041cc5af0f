import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { randomSeed, signerFromSeed } from '../../../src/events/keys/signer.sodium.ts'
import { signsInTurn } from '../../../src/events/keys/signer.ts'
import { RING_MESSAGE_BYTES_MAX, RING_SLOTS, SigningRing } from '../../../src/events/keys/signing-ring.ts'
import { SHARED_FROM, SigningThread, startWorker } from '../../../src/events/keys/signing-thread.sodium.ts'
import { openLevelLog } from '../../../src/events/log/event-log.level.ts'
import { noUpcast, numbered, tickingClock } from '../samples.ts'
import { TEST_NETWORK, verifySignature } from '../test-network.ts'

const inner = signerFromSeed(randomSeed(), TEST_NETWORK)
/** A signer that counts what it signs itself. */
const counting = (counts = { own: 0 }) => ({
  counts,
  signer: {
    ...inner,
    sign: (...args: Parameters<typeof inner.sign>) => {
      counts.own++
      return inner.sign(...args)
    },
  },
})

const bodies = (count: number, seed = 0): Uint8Array[] =>
  Array.from({ length: count }, (_, index) => new Uint8Array(150 + (index % 90)).fill((index + seed) % 251))

/** The signatures as a Buffer each, so that their bytes are compared. */
function signed(signer: Pick<SigningThread, 'begin' | 'add' | 'finish'>, batch: readonly Uint8Array[]): Buffer[] {
  signer.begin(batch.length)
  for (const body of batch) signer.add(body)
  return signer.finish().map((signature) => Buffer.from(signature))
}

/** Signs until the thread has taken part. */
async function untilShared(thread: SigningThread, counts: { own: number }): Promise<void> {
  const batch = bodies(SHARED_FROM * 4)
  for (;;) {
    counts.own = 0
    signed(thread, batch)
    if (counts.own < batch.length) return
    await setImmediate()
  }
}

const failing =
  (word: string, started: Worker[] = []) =>
  (memory: SharedArrayBuffer): Worker => {
    const worker = new Worker(new URL('failing-signing-worker.ts', import.meta.url), { workerData: { memory }, argv: [word] })
    started.push(worker)
    return worker
  }

describe('signing with a second thread', () => {
  const { counts, signer } = counting()
  const expected = (batch: readonly Uint8Array[]) => signed(signsInTurn(inner), batch)

  it('gives the very signatures, in order, whatever part of them the thread makes', async () => {
    await using thread = new SigningThread(signer, TEST_NETWORK)
    await untilShared(thread, counts)
    for (const count of [0, 1, SHARED_FROM - 1, SHARED_FROM, 300, RING_SLOTS, RING_SLOTS + 1, 2 * RING_SLOTS + 7]) {
      for (let round = 0; round < 3; round++) {
        const batch = bodies(count, round)
        assert.deepEqual(signed(thread, batch), expected(batch), `${count} bodies`)
      }
    }
  })

  it('signs a body that is too long for the shared memory itself, among others', async () => {
    await using thread = new SigningThread(signer, TEST_NETWORK)
    await untilShared(thread, counts)
    const batch = bodies(100)
    for (const [place, bytes] of [RING_MESSAGE_BYTES_MAX, 100_000, 0].entries()) batch[place * 40] = new Uint8Array(bytes)
    assert.deepEqual(signed(thread, batch), expected(batch))
  })

  it('leaves small commits to the log’s own thread', async () => {
    await using thread = new SigningThread(signer, TEST_NETWORK)
    await untilShared(thread, counts)
    counts.own = 0
    for (let round = 0; round < 50; round++) signed(thread, bodies(SHARED_FROM - 1))
    assert.equal(counts.own, 50 * (SHARED_FROM - 1))
  })

  it('starts no thread before there is a large commit', () => {
    const started: Worker[] = []
    const thread = new SigningThread(signer, TEST_NETWORK, failing('hangs', started))
    signed(thread, bodies(SHARED_FROM - 1))
    assert.equal(started.length, 0)
  })

  for (const fault of ['at-once', 'throws', 'exits', 'hangs']) {
    it(`signs all itself with a thread that fails: ${fault}`, async () => {
      const started: Worker[] = []
      await using thread = new SigningThread(signer, TEST_NETWORK, failing(fault, started))
      signed(thread, bodies(SHARED_FROM))
      const worker = started[0]
      assert.ok(worker !== undefined)
      let isOver = fault === 'hangs'
      worker.once('exit', () => {
        isOver = true
      })
      // The thread may take a body at any moment, until it has ended; one that hangs has surely taken one by then.
      for (let round = 0; round < 200 || !isOver; round++) {
        const batch = bodies(SHARED_FROM * 2, round)
        assert.deepEqual(signed(thread, batch), expected(batch))
        await setImmediate()
      }
      signed(thread, bodies(SHARED_FROM))
      assert.equal(started.length, 1, 'a broken thread is not started again')
    })
  }

  it('offers nothing to a thread that still has a body of an earlier commit in its hands', async () => {
    const memories: SharedArrayBuffer[] = []
    await using thread = new SigningThread(signer, TEST_NETWORK, (memory) => {
      memories.push(memory)
      return failing('hangs')(memory)
    })
    signed(thread, bodies(SHARED_FROM))
    assert.ok(memories[0] !== undefined)
    // The first word counts what was offered.
    const offered = new Int32Array(memories[0])
    let before = -1
    // Until the thread has come, and holds one.
    while (before !== Atomics.load(offered, 0)) {
      before = Atomics.load(offered, 0)
      for (let round = 0; round < 20; round++) {
        signed(thread, bodies(SHARED_FROM))
        await setImmediate()
      }
    }
    assert.ok(before > 0)
    assert.deepEqual(signed(thread, bodies(SHARED_FROM)), expected(bodies(SHARED_FROM)))
    assert.equal(Atomics.load(offered, 0), before)
  })

  it('signs all itself where no thread can be started', async () => {
    await using thread = new SigningThread(signer, TEST_NETWORK, () => {
      throw new Error('no more threads')
    })
    for (let round = 0; round < 3; round++) assert.deepEqual(signed(thread, bodies(300)), expected(bodies(300)))
  })

  it('finishes a commit whose thread is killed in the midst of it', async () => {
    for (let round = 0; round < 10; round++) {
      const killed: Promise<number>[] = []
      await using thread = new SigningThread(signer, TEST_NETWORK, (memory) => {
        started = startWorker(memory)
        return started
      })
      let started: Worker | undefined
      await untilShared(thread, counts)
      const batch = bodies(RING_SLOTS, round)
      thread.begin(batch.length)
      for (const [place, body] of batch.entries()) {
        thread.add(body)
        if (place === round * 50 && started !== undefined) killed.push(started.terminate())
      }
      assert.deepEqual(
        thread.finish().map((signature) => Buffer.from(signature)),
        expected(batch),
      )
      assert.equal(killed.length, 1)
      await Promise.all(killed)
      assert.deepEqual(signed(thread, batch), expected(batch))
    }
  })

  it('clears the key when it is closed, and when the thread ends by itself', async () => {
    const memories: SharedArrayBuffer[] = []
    const started: Worker[] = []
    const noting = (word: string) => (memory: SharedArrayBuffer) => {
      memories.push(memory)
      return failing(word, started)(memory)
    }
    const keyIn = (memory: SharedArrayBuffer | undefined) => Buffer.from(new SigningRing(memory).key)
    const closed = new SigningThread(signer, TEST_NETWORK, noting('hangs'))
    signed(closed, bodies(SHARED_FROM))
    assert.notDeepEqual(keyIn(memories[0]), Buffer.alloc(64))
    await closed[Symbol.asyncDispose]()
    assert.deepEqual(keyIn(memories[0]), Buffer.alloc(64))

    await using ended = new SigningThread(signer, TEST_NETWORK, noting('at-once'))
    signed(ended, bodies(SHARED_FROM))
    assert.ok(started[1] !== undefined)
    const { promise, resolve } = Promise.withResolvers<number>()
    started[1].once('exit', resolve)
    await promise
    assert.deepEqual(keyIn(memories[1]), Buffer.alloc(64))
  })

  it('ends the thread when it is idle, with the key cleared, and starts it again', async () => {
    const started: { memory: SharedArrayBuffer; ended: Promise<number> }[] = []
    await using thread = new SigningThread(signer, TEST_NETWORK, (memory) => {
      const worker = startWorker(memory, 30)
      const { promise: ended, resolve } = Promise.withResolvers<number>()
      worker.once('exit', resolve)
      started.push({ memory, ended })
      return worker
    })
    for (let life = 0; life < 2; life++) {
      await untilShared(thread, counts)
      const last = started.at(-1)
      assert.ok(last !== undefined)
      assert.equal(await last.ended, 0)
      assert.deepEqual(Buffer.from(new SigningRing(last.memory).key), Buffer.alloc(64))
      assert.deepEqual(signed(thread, bodies(300)), expected(bodies(300)))
    }
    assert.ok(started.length >= 2)
  })

  it('goes on alone after it was closed', async () => {
    const thread = new SigningThread(signer, TEST_NETWORK)
    await untilShared(thread, counts)
    await thread[Symbol.asyncDispose]()
    assert.deepEqual(signed(thread, bodies(300)), expected(bodies(300)))
  })
})

describe('a log that signs with a second thread', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-signing-'))
  after(() => rmSync(root, { recursive: true }))

  it('stores all that was appended before it was closed, each event signed', async () => {
    const { counts, signer } = counting()
    const directory = join(root, 'log')
    const tools = { directory, signer, clock: tickingClock(), upcast: noUpcast, create: true }
    const thread = new SigningThread(signer, TEST_NETWORK)
    await untilShared(thread, counts)
    const log = await openLevelLog({ ...tools, commitSigner: thread })
    const appends = Array.from({ length: 700 }, (_, number) => log.append([numbered(number)]))
    await log[Symbol.asyncDispose]()
    await thread[Symbol.asyncDispose]()
    const appended = (await Promise.all(appends)).flat()
    assert.deepEqual(
      appended.map(({ authorSeq }) => authorSeq),
      Array.from({ length: 700 }, (_, number) => number + 1),
    )

    await using again = await openLevelLog(tools)
    assert.equal(again.head, 700)
    const stored = await again.readSignedAt(appended.map(({ seq }) => seq))
    for (const { body, signature } of stored) assert.equal(verifySignature('event', body, signature, signer.id), true)
    assert.equal(stored.length, 700)
  })

  it('rejects the appends of a commit that cannot be signed, and takes the next ones', async () => {
    let fails = true
    const inTurn = signsInTurn(inner)
    const commitSigner = {
      ...inTurn,
      finish: () => {
        const signatures = inTurn.finish()
        if (fails) throw new Error('no key')
        return signatures
      },
    }
    const tools = { signer: inner, clock: tickingClock(), upcast: noUpcast, create: true }
    await using log = await openLevelLog({ ...tools, directory: join(root, 'no-key'), commitSigner })
    const failed = await Promise.allSettled([log.append([numbered(1)]), log.append([numbered(2)])])
    assert.deepEqual(
      failed.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    assert.equal(log.head, 0)
    fails = false
    const [envelope] = await log.append([numbered(3)])
    assert.equal(envelope?.authorSeq, 1)
  })
})
