import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type BulkEntry, LIST_LINE_BYTES_MAX, openList, readList } from '../../../src/cli/services/publish-list.ts'

describe('a list of what to publish', () => {
  const defaults = { tags: [] as string[], directory: undefined as string | undefined }
  const read = async (text: string | Uint8Array, more: Partial<typeof defaults> = {}): Promise<BulkEntry[]> => {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text
    const chunks = async function* () {
      // In pieces that end anywhere.
      for (let from = 0; from < bytes.length; from += 7) yield bytes.subarray(from, from + 7)
    }
    const entries: BulkEntry[] = []
    for await (const entry of readList(chunks(), { ...defaults, ...more })) entries.push(entry)
    return entries
  }
  const problems = async (text: string) =>
    (await read(text)).map((entry) => ('problem' in entry ? `${entry.line}: ${entry.problem}` : `${entry.line} is fine`))

  it('has a path a line, and after tabs a title, tags and a category, which is a tag', async () => {
    const text = '/a b.iso\n/b\tLow orbit\n/c\t\tfilm, hd,,\tfilm\r\n\n# a comment\n/d\tDeep\t\tmusic'
    assert.deepEqual(await read(text), [
      { line: 1, item: { path: '/a b.iso' } },
      { line: 2, item: { path: '/b', title: 'Low orbit' } },
      { line: 3, item: { path: '/c', tags: ['film', 'hd'] } },
      { line: 6, item: { path: '/d', title: 'Deep', tags: ['music'] } },
    ])
  })

  it('may have JSON objects as lines, among the others', async () => {
    const all = { path: '/a', title: 'A\tb', tags: ['x', 'y,z'], category: 'film', directory: '/data' }
    const text = [JSON.stringify(all), '/b', '{"path":"/c","title":null,"tags":null,"category":null,"directory":null}'].join(
      '\n',
    )
    assert.deepEqual(await read(text), [
      { line: 1, item: { path: '/a', title: 'A\tb', tags: ['x', 'y,z', 'film'], directory: '/data' } },
      { line: 2, item: { path: '/b' } },
      { line: 3, item: { path: '/c' } },
    ])
  })

  it('names paths from this folder, and takes what it leaves out from the flags', async () => {
    const entries = await read('a.torrent\tA\tx\n{"path":"b.torrent","directory":"there"}', {
      tags: ['all'],
      directory: 'here',
    })
    assert.deepEqual(entries, [
      { line: 1, item: { path: resolve('a.torrent'), title: 'A', tags: ['all', 'x'], directory: resolve('here') } },
      { line: 2, item: { path: resolve('b.torrent'), tags: ['all'], directory: resolve('there') } },
    ])
  })

  it('says what is wrong with a line by its number, and goes on', async () => {
    const text = [
      '/a',
      '{"path":"/b"',
      '\tTitle',
      '/c\tt\tx\tfilm\tmore',
      '{"path":7}',
      '{"title":"A"}',
      '{"path":""}',
      '{"path":"/d","tags":"x"}',
      '{"path":"/d","tags":[1]}',
      '{"path":"/d","titel":"x"}',
      '/z',
    ].join('\n')
    assert.deepEqual(await problems(text), [
      '1 is fine',
      '2: the line begins with { and is not JSON',
      '3: the line has no path before its first tab',
      '4: a line has at most a path, a title, tags and a category, with tabs between them',
      '5: "path" must be a text',
      '6: the line has no "path"',
      '7: the line has no "path"',
      '8: "tags" must be a list of texts',
      '9: "tags" must be a list of texts',
      '10: there is no field "titel": it has path, title, tags, category, directory',
      '11 is fine',
    ])
  })

  it('has lines of so many bytes, and not of one more', async () => {
    const [fits, tooLong] = [`/${'x'.repeat(LIST_LINE_BYTES_MAX - 1)}`, `/${'x'.repeat(LIST_LINE_BYTES_MAX)}`]
    assert.deepEqual(await problems(`${fits}\n${tooLong}\n/a\n${tooLong}`), [
      '1 is fine',
      '2: the line is longer than 64 KiB',
      '3 is fine',
      '4: the line is longer than 64 KiB',
    ])
  })

  it('may be anything at all', async () => {
    assert.deepEqual(await read(''), [])
    assert.deepEqual(await read('\n\n'), [])
    assert.equal((await read(Uint8Array.of(0xff, 0xfe, 0x00, 0x0a, 0x7b))).length, 2)
    assert.deepEqual(await problems('{}'), ['1: the line has no "path"'])
  })

  describe('in a file', () => {
    let folder: string
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'p2pt-list-'))
    })
    afterEach(() => rm(folder, { recursive: true }))

    it('is read from it', async () => {
      await writeFile(join(folder, 'list'), '/a\n/b')
      const entries: BulkEntry[] = []
      for await (const entry of readList(await openList(join(folder, 'list')), defaults)) entries.push(entry)
      assert.equal(entries.length, 2)
    })

    it('that is not there, or is a folder, is refused', async () => {
      await assert.rejects(openList(join(folder, 'none')), { code: 'usage', message: /cannot read the list .*none/ })
      await assert.rejects(openList(folder), { code: 'usage', message: /it is a folder: `p2pt client import`/ })
    })
  })
})
