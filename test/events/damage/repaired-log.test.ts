import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finishEarlierRepair, newDraft, putInPlace, type RepairReport } from '../../../src/events/damage/repaired-log.level.ts'
import { claimPath } from '../../../src/events/files/open-paths.fs.ts'
import { openDatabase } from '../../../src/events/leveldb/log-database.level.ts'
import { bootId, isHeadFileWhole, readHeadFile } from '../../../src/events/log/head-file.fs.ts'
import { META_KEY } from '../../../src/events/segments/segment-keys.ts'
import { numbered } from '../samples.ts'
import { storeScene } from '../segments/store-scene.ts'

describe('a repaired log that takes the place of the damaged one', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-repaired-'))
  let directories = 0
  let digest = ''
  after(() => rmSync(root, { recursive: true }))

  before(async () => {
    await using one = await storeScene(join(root, 'whole'))
    await one.log.append([numbered(1), numbered(2)], { durable: false })
    digest = (await one.store.verify({})).headDigest
  })
  const report = { before: { intact: false }, lost: [], floors: { gossip: 7 } } as unknown as RepairReport

  /** A data directory with these in it: databases, folders and files. */
  function directoryWith(...names: readonly string[]): string {
    const directory = join(root, String(directories++))
    mkdirSync(directory)
    for (const name of names) {
      const path = join(directory, name)
      if (name === 'log.repaired') cpSync(join(root, 'whole'), path, { recursive: true })
      else if (name.endsWith('.json') || name === 'head')
        writeFileSync(path, name.includes('repair') ? JSON.stringify(report) : name)
      else {
        mkdirSync(path, { recursive: true })
        writeFileSync(join(path, 'old'), name)
      }
    }
    return directory
  }
  const names = (...parts: string[]): string[] => readdirSync(join(...parts)).sort()
  const isRepaired = (directory: string): void => {
    assert.equal(existsSync(join(directory, 'log', 'CURRENT')), true)
    const mark = { seq: 2, digest }
    assert.deepEqual(readHeadFile(join(directory, 'head')), { latest: mark, durable: mark, clean: true, boot: bootId() })
    assert.equal(isHeadFileWhole(join(directory, 'head')), true)
  }

  it('is written to a folder of its own, without what an earlier repair left there', () => {
    const directory = directoryWith('log.repaired')
    assert.equal(newDraft(directory), join(directory, 'log.repaired'))
    assert.deepEqual(names(directory), [])
    assert.equal(newDraft(directory), join(directory, 'log.repaired'))
  })

  it('leaves the damaged files, their head file and what follows from them beside it, with the report', async () => {
    const directory = directoryWith('log', 'head', 'projections', 'scrub.json', 'log.repaired', 'damaged-1')
    const kept = await putInPlace(directory, report)
    const keptIn = join(directory, 'damaged-2')
    assert.deepEqual(kept, { ...report, keptIn })
    assert.deepEqual(names(directory), ['damaged-1', 'damaged-2', 'head', 'log'])
    assert.deepEqual(names(keptIn), ['head', 'log', 'projections', 'repair.json'])
    assert.deepEqual(
      [readFileSync(join(keptIn, 'head'), 'utf8'), names(keptIn, 'log'), names(keptIn, 'projections')],
      ['head', ['old'], ['old']],
    )
    assert.deepEqual(JSON.parse(readFileSync(join(keptIn, 'repair.json'), 'utf8')), report)
    isRepaired(directory)
  })

  it('stands where there was nothing at all', async () => {
    const directory = directoryWith('log.repaired')
    await putInPlace(directory, report)
    assert.deepEqual([names(directory), names(directory, 'damaged-1')], [['damaged-1', 'head', 'log'], ['repair.json']])
    isRepaired(directory)
  })

  it('has a head file that says it is empty where nothing could be kept', async () => {
    const directory = directoryWith()
    const database = await openDatabase(join(directory, 'log.repaired'), true)
    await database.put(META_KEY, Buffer.from('x'))
    await database.close()
    await putInPlace(directory, report)
    const empty = { seq: 0, digest: '00'.repeat(32) }
    assert.deepEqual(readHeadFile(join(directory, 'head'))?.latest, empty)
  })

  it('is not begun where no repair was cut off', async () => {
    const directory = directoryWith('log', 'head')
    assert.equal(await finishEarlierRepair(directory), undefined)
    assert.deepEqual([names(directory), names(directory, 'log')], [['head', 'log'], ['old']])
  })

  it('is finished where the damaged log was moved already, and its report said then', async () => {
    const directory = directoryWith(
      'log.repaired',
      'damaged.part',
      'damaged.part/log',
      'damaged.part/repair.json',
      'scrub.json',
    )
    assert.deepEqual(await finishEarlierRepair(directory), { ...report, keptIn: join(directory, 'damaged-1') })
    assert.deepEqual(
      [names(directory), names(directory, 'damaged-1')],
      [
        ['damaged-1', 'head', 'log'],
        ['log', 'old', 'repair.json'],
      ],
    )
    isRepaired(directory)
    assert.equal(await finishEarlierRepair(directory), undefined, 'once')
  })

  it('is finished where it stands in its place, and the damaged files have no name yet', async () => {
    const directory = directoryWith('damaged.part', 'damaged.part/log', 'damaged.part/repair.json')
    cpSync(join(root, 'whole'), join(directory, 'log'), { recursive: true })
    assert.deepEqual(await finishEarlierRepair(directory), { ...report, keptIn: join(directory, 'damaged-1') })
    assert.deepEqual(names(directory), ['damaged-1', 'head', 'log'])
    isRepaired(directory)
  })

  it('is finished without a report where it is whole and there is no log', async () => {
    const directory = directoryWith('log.repaired')
    assert.equal(await finishEarlierRepair(directory), undefined)
    assert.deepEqual(names(directory), ['head', 'log'])
    isRepaired(directory)
  })

  it('is begun anew where the damaged log is still there', async () => {
    const directory = directoryWith('log', 'log.repaired', 'damaged.part')
    assert.equal(await finishEarlierRepair(directory), undefined)
    assert.deepEqual([names(directory), names(directory, 'log')], [['log'], ['old']])
  })

  it('gives way to a log that somebody has put there, and what was moved aside is kept', async () => {
    const directory = directoryWith('log', 'log.repaired', 'damaged.part/log')
    assert.equal(await finishEarlierRepair(directory), undefined)
    assert.deepEqual([names(directory), names(directory, 'damaged-1')], [['damaged-1', 'log'], ['log']])
  })

  it('is thrown away where it is not whole and nothing says that it was', async () => {
    for (const content of ['nothing', 'no entry that comes last'] as const) {
      const directory = directoryWith()
      const draft = join(directory, 'log.repaired')
      if (content === 'nothing') mkdirSync(draft)
      else await (await openDatabase(draft, true)).close()
      assert.equal(await finishEarlierRepair(directory), undefined)
      assert.deepEqual(names(directory), [])
    }
  })

  it('waits for whoever has the log open', async () => {
    const directory = directoryWith('log', 'log.repaired')
    const release = claimPath(directory, 'log')
    await assert.rejects(finishEarlierRepair(directory), { code: 'LOG_LOCKED' })
    assert.deepEqual(names(directory), ['log', 'log.repaired'])
    release()
    await finishEarlierRepair(directory)
    claimPath(directory, 'log')()
  })
})
