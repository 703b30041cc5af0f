import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { contentsOf } from '../../../src/cli/services/import-folder.ts'
import { file, multi, torrent } from '../../torrent/odd/odd-torrent.ts'

describe('a folder to import', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'p2pt-import-'))
  })
  afterEach(() => rm(folder, { recursive: true }))
  const at = (...names: string[]) => join(folder, ...names)
  const write = (...names: string[]) => writeFile(at(...names), 'x')
  const none = { to: undefined, tags: [], hidden: false }

  it('gives each file and folder in it by its name, and counts what it leaves out', async () => {
    await mkdir(at('b album'))
    await write('b album', '1.ogg')
    await write('c.iso')
    await write('a.iso')
    await write('.hidden')
    await symlink(at('a.iso'), at('link'))
    execFileSync('mkfifo', [at('pipe')])
    const { entries, ...leftOut } = await contentsOf(folder, none)
    assert.deepEqual(
      entries,
      ['a.iso', 'b album', 'c.iso'].map((name) => ({ item: { path: at(name) } })),
    )
    assert.deepEqual(leftOut, { hidden: 1, links: 1, special: 1 })
    const all = await contentsOf(folder, { ...none, tags: ['x'], hidden: true })
    assert.deepEqual(all.entries[0], { item: { path: at('.hidden'), tags: ['x'] } })
    assert.deepEqual([all.entries.length, all.hidden], [4, 0])
  })

  it('gives torrent files, and not what they describe', async () => {
    await mkdir(at('T'))
    await write('other.iso')
    await writeFile(at('some.torrent'), torrent(multi([file(1, 'a.bin')])))
    await write('broken.torrent')
    await mkdir(at('folder.torrent'))
    const { entries } = await contentsOf(folder, none)
    assert.deepEqual(entries, [
      { item: { path: at('broken.torrent'), directory: folder } },
      { item: { path: at('folder.torrent') } },
      { item: { path: at('other.iso') } },
      { item: { path: at('some.torrent'), directory: folder } },
    ])
  })

  it('gives what is beside torrent files whose data is elsewhere', async () => {
    await mkdir(at('T'))
    await mkdir(at('data'))
    await writeFile(at('some.torrent'), torrent(multi([file(1, 'a.bin')])))
    const { entries } = await contentsOf(folder, { ...none, to: at('data') })
    assert.deepEqual(entries, [
      { item: { path: at('T') } },
      { item: { path: at('data') } },
      { item: { path: at('some.torrent'), directory: at('data') } },
    ])
  })

  it('that is none is refused', async () => {
    await write('a.iso')
    for (const path of [at('none'), at('a.iso')])
      await assert.rejects(contentsOf(path, none), { code: 'usage', message: /^cannot read the folder / })
  })
})
