import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HISTORY_LINES_MAX, History } from '../../../src/cli/repl/history.ts'
import { REPL_NAMES, ReplSession } from '../../../src/cli/repl/session.ts'
import { type ClientService, type NodeService, ServiceError } from '../../../src/roles/index.ts'
import { HASH, searchResult, torrentRow } from '../render/rows.ts'

/** A session over a client that answers from a list, and what it printed. */
function session() {
  const printed: string[] = []
  const asked: unknown[] = []
  let quit = 0
  const client = {
    async search(request: object) {
      asked.push(request)
      return searchResult()
    },
    async add(request: object) {
      asked.push(request)
      return torrentRow()
    },
    async clientStatus() {
      return { torrents: [torrentRow()], refused: [] }
    },
    async corrupt(infoHash: string, percent: number) {
      asked.push([infoHash, percent])
      throw new ServiceError('failed', 'start the node with --allow-corrupt\u001b[2J')
    },
    dht: () => new Promise<never>(() => {}),
  } as unknown as ClientService
  const repl = new ReplSession(
    { client, node: {} as NodeService },
    (text) => printed.push(text),
    () => {
      quit += 1
    },
  )
  return { repl, printed, asked, quits: () => quit }
}

describe('prompt session', () => {
  it('has the commands it should have', () => {
    for (const name of ['add', 'magnet', 'publish', 'search', 'status', 'peers', 'dht', 'corrupt', 'help', 'quit'])
      assert.ok(REPL_NAMES.includes(name), name)
  })

  it('asks for what stands behind `search` as it was typed, quotes and all', async () => {
    const { repl, asked } = session()
    for (const line of ['search "big buck"  tag:"two words" -hop', "  search don't look", 'search "open'] as const)
      repl.line(line)
    await repl.idle()
    assert.deepEqual(
      asked.map((request) => (request as { text: string }).text),
      ['"big buck" tag:"two words" -hop', "don't look", '"open'],
    )
  })

  it('carries out lines in the order they were typed, and remembers hits for get', async () => {
    const { repl, printed, asked } = session()
    repl.line('search songs  sea')
    repl.line('get 1')
    repl.line('get 2')
    await repl.idle()
    assert.deepEqual(asked, [{ text: 'songs sea', limit: 20 }, { magnet: `magnet:?xt=urn:btih:${HASH}` }])
    assert.match(printed[0] ?? '', /Songs of the sea/)
    assert.match(printed[1] ?? '', new RegExp(`^added ${HASH}`))
    assert.match(printed[2] ?? '', /there is no hit 2: the last search found 1/)
  })

  it('survives every error, and prints it without control characters', async () => {
    const { repl, printed } = session()
    for (const line of [
      'nonsense',
      'add',
      'add /does/not/exist',
      'corrupt c12f 100',
      'corrupt c12f 101',
      'corrupt zz 1',
      'add "x',
      'status',
    ])
      repl.line(line)
    repl.line('help')
    await repl.idle()
    assert.deepEqual(printed.slice(0, 8), [
      'there is no command nonsense: `help` lists them',
      'usage: add FILE.torrent',
      "cannot read /does/not/exist: ENOENT: no such file or directory, open '/does/not/exist'",
      'start the node with --allow-corrupt',
      'not a share from 0 to 100: 101',
      'not an info hash (40 hex digits, or at least the first 4): zz',
      'the quote " is not closed',
      printed[7] ?? '',
    ])
    assert.match(printed[8] ?? '', /^add FILE\.torrent +download/)
  })

  it('completes the start of an info hash', async () => {
    const { repl, asked } = session()
    repl.line('corrupt C12F 50')
    await repl.idle()
    assert.deepEqual(asked, [[HASH, 50]])
  })

  it('ends a command that takes too long when it is interrupted, and takes the next', async () => {
    const { repl, printed } = session()
    assert.equal(repl.interrupt(), false)
    repl.line('dht')
    while (!repl.interrupt()) await new Promise((resolve) => setImmediate(resolve))
    repl.line('help quit')
    await repl.idle()
    assert.equal(printed[0], 'interrupted')
    assert.equal(printed.length, 2)
  })

  it('quits once told to', async () => {
    const { repl, quits } = session()
    repl.line('  ')
    repl.line('quit')
    await repl.idle()
    assert.equal(quits(), 1)
  })
})

describe('prompt history', () => {
  it('is kept over sessions, bounded, and readable by its user only', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'p2pt-history-'))
    try {
      const file = join(directory, 'prompt-history')
      const first = new History(file)
      assert.deepEqual(await first.load(), [])
      for (let line = 0; line < HISTORY_LINES_MAX + 5; line += 1) first.add(`search ${line}`)
      await first.flush()
      assert.equal((await stat(file)).mode & 0o777, 0o600)
      const lines = await new History(file).load()
      assert.equal(lines.length, HISTORY_LINES_MAX)
      assert.equal(lines.at(-1), `search ${HISTORY_LINES_MAX + 4}`)
      assert.equal((await readFile(file, 'utf8')).split('\n').length, HISTORY_LINES_MAX + 1)
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})
