import assert from 'node:assert/strict'
import fs, { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { replaceFile } from '../../../src/events/files/replace-file.fs.ts'
import { syncDirectory } from '../../../src/events/files/sync-directory.fs.ts'
import { openLevelLog } from '../../../src/events/log/event-log.level.ts'
import { openDataDirectory } from '../../../src/roles/directory/data-directory.fs.ts'
import { noUpcast, tickingClock } from '../samples.ts'
import { joiningAs } from '../test-network.ts'

const { openSync, fsyncSync, renameSync } = fs

/** What reaches the disk, in its order: `file`, `directory/`, and `from > to` of a rename. */
function watchDisk(refuse?: (path: string) => string | undefined): { steps: string[]; undo(): void } {
  const steps: string[] = []
  const paths = new Map<number, string>()
  fs.openSync = (...parameters) => {
    const file = openSync(...parameters)
    paths.set(file, String(parameters[0]))
    return file
  }
  fs.fsyncSync = (file) => {
    const path = paths.get(file) ?? '?'
    const code = refuse?.(path)
    if (code !== undefined) throw Object.assign(new Error(`${code}: refused`), { code })
    steps.push(statSync(path).isDirectory() ? `${basename(path)}/` : basename(path))
    fsyncSync(file)
  }
  fs.renameSync = (from, to) => {
    steps.push(`${basename(String(from))} > ${basename(String(to))}`)
    renameSync(from, to)
  }
  syncBuiltinESMExports()
  return {
    steps,
    undo() {
      Object.assign(fs, { openSync, fsyncSync, renameSync })
      syncBuiltinESMExports()
    },
  }
}

describe('a small file', () => {
  let root: string
  let disk: ReturnType<typeof watchDisk> | undefined
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'p2pt-file-'))
  })
  afterEach(() => {
    disk?.undo()
    disk = undefined
    rmSync(root, { recursive: true })
  })
  const refusing = (code: string) => watchDisk((path) => (statSync(path).isDirectory() ? code : undefined))

  it('is on the disk before it has its name, and its name is when it is done', () => {
    disk = watchDisk()
    replaceFile(join(root, 'key.seed'), Buffer.from('secret'))
    assert.deepEqual(disk.steps, ['key.seed.new', 'key.seed.new > key.seed', `${basename(root)}/`])
    assert.equal(readFileSync(join(root, 'key.seed'), 'utf8'), 'secret')
    assert.equal(statSync(join(root, 'key.seed')).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(root), ['key.seed'])
  })

  it('is written where a directory cannot be brought to the disk, and not where the disk fails', () => {
    disk = refusing('EINVAL')
    replaceFile(join(root, 'file'), Buffer.from('one'))
    assert.equal(readFileSync(join(root, 'file'), 'utf8'), 'one')
    disk.undo()
    disk = refusing('EIO')
    assert.throws(() => replaceFile(join(root, 'file'), Buffer.from('two')), { code: 'EIO' })
    disk.undo()
    assert.throws(() => syncDirectory(join(root, 'absent')), { code: 'ENOENT' })
  })

  it('with the key has its name on the disk before there is a log, and all before the node is known', async () => {
    disk = watchDisk()
    const directory = join(root, 'nodes', 'one')
    using _opened = await openDataDirectory(directory, { role: 'client', joining: joiningAs('client') })
    const { steps } = disk
    const place = (step: string, from = 0): number => {
      const found = steps.indexOf(step, from)
      assert.ok(found >= 0, `${step} in ${steps.join(', ')}`)
      return found
    }
    // The directories themselves, each in the one above it.
    assert.deepEqual(steps.slice(0, 2), [`${basename(dirname(dirname(directory)))}/`, 'nodes/'])
    const key = place('one/', place('key.seed.new > key.seed'))
    // What LevelDB syncs by itself is not seen here.
    const database = place('log/')
    const log = place('one/', place('head', key))
    const node = place('node.json.new > node.json')
    assert.ok(key < database && database < log && log < node, steps.join(', '))
    assert.equal(steps.at(-1), 'one/')
  })

  it('with the key that a start left which was cut off has its name on the disk before there is a log', async () => {
    const directory = join(root, 'one')
    mkdirSync(directory)
    writeFileSync(join(directory, 'key.seed'), new Uint8Array(32).fill(5), { mode: 0o600 })
    disk = watchDisk()
    using _opened = await openDataDirectory(directory, { role: 'client', joining: joiningAs('client') })
    assert.deepEqual(disk.steps.filter((step) => ['one/', 'log/', 'head'].includes(step)).slice(0, 3), ['one/', 'log/', 'head'])
  })

  it('beside a copy of a log comes when the names of the copy are on the disk', async () => {
    const directory = join(root, 'one')
    using opened = await openDataDirectory(directory, { role: 'client', joining: joiningAs('client') })
    await using log = await openLevelLog({ directory, signer: opened.signer, clock: tickingClock(), upcast: noUpcast })
    mkdirSync(join(root, 'two'))
    disk = watchDisk()
    await log.copyTo(join(root, 'two'))
    // Before the log itself is closed.
    disk.undo()
    assert.deepEqual(disk.steps, ['log/', 'head'])
  })
})
