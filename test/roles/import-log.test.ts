import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { upcastSteps } from '../../migrations/index.ts'
import { exportLog } from '../../src/cli/services/export-log.ts'
import { type Draft, type InfoHash, type SignedEvent, toHex, upcaster } from '../../src/events/index.ts'
import { openLevelLog } from '../../src/events/log/event-log.level.ts'
import { startNode } from '../../src/roles/compose.ts'
import { importLog } from '../../src/roles/compose-import.ts'
import { openStoppedNode } from '../../src/roles/compose-stopped.ts'
import { openDataDirectory } from '../../src/roles/directory/data-directory.fs.ts'
import { readRestoredMark } from '../../src/roles/node/restored.fs.ts'
import type { StartOptions } from '../../src/roles/start.ts'
import { EVERY_KIND, foreign, numbered, signerOf, tickingClock } from '../events/samples.ts'
import { joiningAs, TEST_GENESIS } from '../events/test-network.ts'
import { resultOf } from './result-of.ts'

const upcast = upcaster(upcastSteps)
const OFFLINE: Omit<StartOptions, 'dataDirectory'> = {
  ...{ role: 'client', host: '127.0.0.1', port: 0, bootstrap: [], logLevel: 'silent' },
}

/** A publication, for the index stream. */
const said = (number: number): Draft => ({
  event: { kind: 'torrent.withdrawn', infoHash: number.toString(16).padStart(40, '0') as InfoHash, title: 'x' },
})

describe('a log', () => {
  let root: string
  const at = (name: string) => join(root, name)
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'p2pt-import-'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  const withLog = async <T>(name: string, run: (log: Awaited<ReturnType<typeof openLevelLog>>) => Promise<T>): Promise<T> => {
    using directory = await openDataDirectory(at(name), { role: 'client', joining: joiningAs('client') })
    await using log = await openLevelLog({ directory: at(name), signer: directory.signer, clock: tickingClock(), upcast })
    return await run(log)
  }
  /** A node with every kind of event of its own and 60 of two others. */
  const made = (name: string) =>
    withLog(name, async (log) => {
      await log.append(EVERY_KIND)
      for (let seq = 1; seq <= 30; seq++) await log.ingest([foreign(signerOf(2), seq, seq), foreign(signerOf(3), seq, seq)])
      return log.head
    })
  const exported = async (name: string, format: 'ndjson' | 'bundle'): Promise<string> => {
    await using node = await openStoppedNode(at(name))
    const file = at(`${name}.${format}`)
    await exportLog({ queries: node, id: node.id, genesis: node.joined.genesis }, {}, { format, file })
    return file
  }
  const lines = (events: readonly SignedEvent[]): string => {
    const file = at('made.ndjson')
    const text = events.map(({ body, signature }) =>
      JSON.stringify({ body: Buffer.from(body).toString('base64'), signature: Buffer.from(signature).toString('base64') }),
    )
    const network = JSON.stringify({ network: { genesis: toHex(TEST_GENESIS) } })
    writeFileSync(file, [network, ...text, JSON.stringify({ end: { events: text.length } })].join('\n'))
    return file
  }
  const state = async (name: string) => {
    await using node = await openStoppedNode(at(name))
    const { events, headDigest, intact } = await resultOf(node.verify({ signatures: true }))
    return { events, headDigest, intact }
  }

  for (const format of ['ndjson', 'bundle'] as const) {
    it(`moves to another machine with its key, as ${format}: the same events in the same places`, async () => {
      const head = await made('one')
      const file = await exported('one', format)
      const { stored, duplicates, id } = await resultOf(
        importLog(at('moved'), { file, role: 'client', keyFile: at('one/key.seed') }),
      )
      assert.ok((await state('moved')).intact)
      await using old = await openStoppedNode(at('one'))
      await using moved = await openStoppedNode(at('moved'))
      assert.deepEqual([stored, duplicates, id], [head, 0, old.id])
      assert.deepEqual(await moved.digests({}), await old.digests({}))
    })
  }

  it('that is moved half way by a process that was killed says so, wherever it is opened, until the move is done', async () => {
    await withLog('one', async (log) => {
      const own: Draft[] = Array.from({ length: 2000 }, (_, index) => said(index))
      for (let from = 0; from < own.length; from += 250) await log.append(own.slice(from, from + 250))
    })
    const file = await exported('one', 'bundle')
    const program = new URL('import-until-killed.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [program, at('moved'), file, at('one/key.seed')], { stdio: 'inherit' })
    const [, signal] = await once(child, 'exit')
    assert.equal(signal, 'SIGKILL')

    const unfinished = { code: 'damaged', message: /import of .*one\.bundle into .* was not finished.*again/ }
    const start = () => startNode({ ...OFFLINE, dataDirectory: at('moved') }, new AbortController().signal)
    await assert.rejects(start(), unfinished)
    await assert.rejects(openStoppedNode(at('moved')), unfinished)
    assert.equal(readRestoredMark(at('moved'))?.from, 'import', 'known before the first event')

    const again = { file, role: 'client', keyFile: at('one/key.seed') } as const
    await assert.rejects(resultOf(importLog(at('moved'), { ...again, keyFile: file })), { code: 'usage' })
    const { stored, duplicates } = await resultOf(importLog(at('moved'), again))
    assert.ok(duplicates > 0 && stored > 0)
    assert.equal(stored + duplicates, 2000)
    assert.equal((await state('moved')).events, 2000)
    await assert.rejects(resultOf(importLog(at('moved'), again)), { code: 'usage', message: /has a key already/ })
    const [next] = await withLog('moved', (log) => log.append([said(1)]))
    assert.ok((next?.authorSeq ?? 0) > 2000 + 65_536, 'far above what may have been said since')
  })

  it('that brings a node some of its own events back has it ask its peers for the rest', async () => {
    await made('one')
    const file = await exported('one', 'ndjson')
    await withLog('one', (log) => log.append([numbered(1)]))
    await resultOf(importLog(at('one'), { file }))
    assert.equal(readRestoredMark(at('one')), undefined, 'it had them all')
    await resultOf(importLog(at('two'), { file, role: 'client', withoutPrivate: true }))
    assert.equal(readRestoredMark(at('two')), undefined, 'they are of another')
    cpSync(at('one/key.seed'), at('three/key.seed'), { recursive: true })
    await withLog('three', async () => {})
    await resultOf(importLog(at('three'), { file }))
    assert.equal(readRestoredMark(at('three'))?.from, 'import')
  })

  it('takes in what another has learnt, without what is private, and passes over what it has', async () => {
    await made('one')
    const file = await exported('one', 'bundle')
    await withLog('two', (log) => log.ingest([foreign(signerOf(2), 1, 1), foreign(signerOf(2), 2, 2)]))
    const before = await state('two')
    await assert.rejects(resultOf(importLog(at('two'), { file })), { code: 'usage', message: /private to another node/ })
    assert.deepEqual(await state('two'), before)
    const isPrivate = EVERY_KIND.filter(({ stream }) => stream === 'local').length
    const shared = EVERY_KIND.length - isPrivate
    const { stored, duplicates, privateLeftOut } = await resultOf(importLog(at('two'), { file, withoutPrivate: true }))
    assert.deepEqual([stored, duplicates, privateLeftOut], [shared + 58, 2, isPrivate])
    const again = await resultOf(importLog(at('two'), { file, withoutPrivate: true }))
    assert.deepEqual([again.stored, again.duplicates], [0, shared + 60])
    assert.ok((await state('two')).intact)
  })

  describe('refuses, and stays as it is:', () => {
    const good = [foreign(signerOf(2), 1, 1), foreign(signerOf(2), 2, 2)]
    const forged = foreign(signerOf(2), 3, 3)
    const cases: [what: string, events: readonly SignedEvent[], code: string, message: RegExp][] = [
      [
        'a forged event',
        [...good, { ...forged, signature: signerOf(9).sign('event', forged.body) }],
        'damaged',
        /event 3 .* is forged, or of another network: .* nothing was imported/,
      ],
      [
        'an altered event',
        [...good, { ...forged, body: forged.body.map((byte, index) => (index === forged.body.length - 1 ? byte ^ 1 : byte)) }],
        'damaged',
        /event 3 .* is forged, or of another network/,
      ],
      [
        'bytes that are no event',
        [...good, { body: new Uint8Array([1, 2, 3]), signature: new Uint8Array(64) }],
        'damaged',
        /event 3 is no event/,
      ],
      [
        'a stamp far above all others',
        [...good, foreign(signerOf(2), 3, 2 ** 50)],
        'damaged',
        /Lamport stamp 1125899906842624/,
      ],
      [
        'another event under a name that it has',
        [...good, foreign(signerOf(4), 1, 9, numbered(77))],
        'damaged',
        /another than the one that the log holds/,
      ],
    ]
    for (const [what, events, code, message] of cases) {
      it(what, async () => {
        await withLog('two', (log) => log.ingest([foreign(signerOf(4), 1, 5)]))
        const before = await state('two')
        await assert.rejects(resultOf(importLog(at('two'), { file: lines(events) })), { code, message })
        assert.deepEqual(await state('two'), before)
        await assert
          .rejects(resultOf(importLog(at('new'), { file: lines(events.slice(0, 3)), role: 'client' })), { code })
          .catch((error: unknown) => {
            // A new node has no event to differ from.
            if (!what.startsWith('another')) throw error
          })
        assert.ok(what.startsWith('another') || !existsSync(at('new')), 'no node was made')
      })
    }

    it('NDJSON that was cut at the end of a line, or is only a part of an export, unless that is wanted', async () => {
      const head = await made('one')
      const whole = readFileSync(await exported('one', 'ndjson'), 'utf8')
      const all = whole.trimEnd().split('\n')
      assert.deepEqual(JSON.parse(all.at(-1) ?? ''), { end: { events: head } })
      const file = at('cut.ndjson')
      const into = (node: string, text: string, allowPartial = false) => {
        writeFileSync(file, text)
        return resultOf(importLog(at(node), { file, role: 'client', withoutPrivate: true, allowPartial }))
      }
      const cut = `${all.slice(0, 20).join('\n')}\n`
      await assert.rejects(into('two', cut), { code: 'damaged', message: /lacks the last line.*cut off.*nothing was imported/ })
      const part = `${[...all.slice(0, 1), ...all.slice(4)].join('\n')}\n`
      await assert.rejects(into('two', part), { code: 'damaged', message: /holds \d+ events, and its last line says \d+/ })
      // Whole or not is said before what network it is of.
      const nameless = (lines: readonly string[]) => `${lines.slice(1).join('\n')}\n`
      await assert.rejects(into('two', nameless(all.slice(0, 20))), { code: 'damaged', message: /lacks the last line/ })
      const unsaid = { code: 'usage', message: /does not say of which network its events are: start a node with --join/ }
      await assert.rejects(into('two', nameless(all)), unsaid)
      await assert.rejects(into('two', nameless(all.slice(0, 20)), true), unsaid)
      assert.ok(!existsSync(at('two')))
      assert.equal((await into('two', cut, true)).events, 19)
      assert.equal((await into('three', part, true)).events, head - 3)
      assert.equal((await into('four', whole + whole)).events, 2 * head, 'two exports in one file')
    })

    it('files that are no export, are cut off, or are not there, and options that make no sense', async () => {
      await made('one')
      const file = await exported('one', 'bundle')
      writeFileSync(at('cut'), readFileSync(file).subarray(0, -10))
      writeFileSync(at('noise'), 'noise')
      writeFileSync(at('empty'), '')
      const into = (
        name: string,
        options: Omit<Parameters<typeof importLog>[1], 'file'> = { withoutPrivate: true },
        node = 'one',
      ) => resultOf(importLog(at(node), { file: at(name), ...options }))
      const before = await state('one')
      await assert.rejects(into('cut'), { code: 'damaged', message: /cut off/ })
      await assert.rejects(into('noise'), { code: 'usage', message: /neither a bundle nor NDJSON/ })
      await assert.rejects(into('empty'), { code: 'usage' })
      await assert.rejects(into('absent'), { code: 'usage', message: /cannot read/ })
      writeFileSync(at('nothing'), readFileSync(lines([])))
      await assert.rejects(into('nothing'), { code: 'usage', message: /^there is no event in .*nothing$/ })
      await assert.rejects(into('nothing', { role: 'client' }, 'new'), { code: 'usage', message: /^there is no event in/ })
      await assert.rejects(into('one.bundle', { role: 'index' }), { code: 'usage', message: /role client, not index/ })
      await assert.rejects(into('one.bundle', { keyFile: at('one/key.seed') }), { code: 'usage', message: /has a key already/ })
      await assert.rejects(into('one.bundle', {}, 'new'), { code: 'usage', message: /say with --role/ })
      await assert.rejects(into('one.bundle', { role: 'client', keyFile: at('cut') }, 'new'), {
        code: 'usage',
        message: /a key has 32/,
      })
      assert.deepEqual(await state('one'), before)
      assert.ok(!existsSync(at('new')))
    })
  })
})
