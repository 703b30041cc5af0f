import assert from 'node:assert/strict'
import { Outbox } from '../../src/control/outbox.ts'
import { CALLS_MAX, Session } from '../../src/control/session.ts'
import { ALL_UNREAD_BYTES_MAX, SESSION_UNREAD_BYTES_MAX, Unread, WAITING_STREAM_BYTES } from '../../src/control/unread.ts'
import { smallNode } from './small-node.ts'

/** A session whose caller takes lines when it is told to. */
function session() {
  const small = smallNode()
  const unread = new Unread()
  const lines: string[] = []
  const waiting: (() => void)[] = []
  let hungUp = 0
  const outbox = new Outbox(
    {
      writable: true,
      write(line, done) {
        lines.push(line)
        waiting.push(done)
        return false
      },
    },
    unread,
  )
  const own = new Session(
    {
      services: () => small.services,
      malformed: () => {},
      refusal: () => undefined,
      hangUp: () => {
        hungUp += 1
      },
      openCalls: () => {},
    },
    outbox,
  )
  const settled = () => new Promise((resolve) => setImmediate(resolve))
  return {
    small,
    unread,
    outbox,
    lines,
    hungUp: () => hungUp,
    async ask(id: number, method: string, params: unknown[]) {
      own.receive(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
      await settled()
    },
    say: (line: string) => own.receive(line),
    async readAll() {
      for (const done of waiting.splice(0)) done()
      await settled()
    },
    close: () => own.close(),
  }
}

describe('a session of the control socket', () => {
  it('counts a call as open until its answer is read', async () => {
    const one = session()
    for (let id = 1; id <= CALLS_MAX; id += 1) await one.ask(id, 'node.explain', ['ab'])
    await one.ask(CALLS_MAX + 1, 'node.explain', ['ab'])
    assert.equal(one.small.explained(), CALLS_MAX)
    assert.match(one.lines.at(-1) ?? '', /more than 64 calls are open, or their answers unread/)
    await one.readAll()
    await one.ask(1, 'node.explain', ['ab'])
    assert.equal(one.small.explained(), CALLS_MAX + 1)
    await one.readAll()
    assert.equal(one.unread.bytes, 0)
  })

  it('has an error for an answer that the caller has no room for', async () => {
    const one = session()
    const peer = 'x'.repeat(SESSION_UNREAD_BYTES_MAX / 4)
    for (let id = 1; id <= 4; id += 1) await one.ask(id, 'node.explain', [peer])
    const { id, error } = JSON.parse(one.lines.at(-1) ?? '')
    assert.equal(id, 4)
    assert.match(error.message, /this caller leaves more than 20 MiB of answers unread/)
    assert.equal(error.data.code, 'failed')
    assert.equal(one.lines.length, 4)
    assert.ok(one.unread.bytes < SESSION_UNREAD_BYTES_MAX)
    await one.readAll()
    await one.ask(4, 'node.explain', [peer])
    assert.equal(JSON.parse(one.lines.at(-1) ?? '').result.peer.length, peer.length)
  })

  it('ends a listing whose caller leaves too much unread, and says so', async () => {
    const one = session()
    await one.ask(1, 'node.events', [{ limit: 1000 }])
    assert.equal(one.lines.length, 1)
    const [first = ''] = one.lines
    assert.equal(one.unread.bytes, first.length + WAITING_STREAM_BYTES)
    // What others leave unread leaves a place for the line that waits, and for none after it.
    one.unread.count(ALL_UNREAD_BYTES_MAX)
    await one.ask(2, 'node.events', [{ limit: 1000 }])
    const { id, error } = JSON.parse(one.lines.at(-1) ?? '')
    assert.equal(id, 2)
    assert.match(error.message, /callers leave more than 64 MiB of answers unread/)
    assert.equal(one.small.endedStreams(), 1)
    one.close()
  })

  it('lets all calls that it may have open wait for one reader', async () => {
    const one = session()
    for (let id = 1; id <= CALLS_MAX; id += 1) await one.ask(id, 'node.events', [{ limit: 1000 }])
    assert.equal(one.small.endedStreams(), 0)
    assert.equal(one.lines.length, CALLS_MAX)
    one.close()
  })

  it('hangs up on a caller that is refused on and on and reads nothing', () => {
    const one = session()
    one.unread.count(ALL_UNREAD_BYTES_MAX)
    one.say('garbage')
    assert.equal(one.hungUp(), 0)
    one.say('garbage')
    assert.equal(one.hungUp(), 1)
    assert.equal(one.lines.length, 1)
  })
})
