import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { damagedTables } from '../../../src/events/leveldb/damaged-tables.fs.ts'
import { logFileOf } from './leveldb-writer.ts'

describe('the damaged tables of a database', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-damaged-tables-'))
  after(() => rmSync(root, { recursive: true }))

  for (const compression of [true, false])
    it(`are those in which a checksum does not hold, ${compression ? 'compressed' : 'plain'}`, async () => {
      const path = join(root, String(compression))
      for (let session = 0; session < 2; session++) {
        const database = new Level(path, { compression })
        await database.put(`key ${session}`, 'value '.repeat(100))
        await database.close()
      }
      const database = new Level(path, { compression })
      await database.open()
      await database.close()
      assert.deepEqual(await damagedTables(path), [])
      const names = readdirSync(path).filter((name) => name.endsWith('.ldb'))
      assert.equal(names.length, 2)
      const table = readFileSync(join(path, names[1] as string))
      const damage = (name: string): void => writeFileSync(join(path, name), table.with(5, (table[5] ?? 0) ^ 1))
      damage('000999.ldb')
      assert.deepEqual(await damagedTables(path), [], 'one that is none of its own')
      damage(names[1] as string)
      assert.deepEqual(await damagedTables(path), [names[1]])
      writeFileSync(join(path, names[0] as string), '')
      assert.deepEqual(await damagedTables(path), names)
      rmSync(join(path, names[1] as string))
      assert.deepEqual(await damagedTables(path), [names[0]], 'one that is not there is for LevelDB to miss')
      damage((names[1] as string).replace('.ldb', '.sst'))
      assert.deepEqual(await damagedTables(path), [names[0], (names[1] as string).replace('.ldb', '.sst')])
    })

  it('are none where the manifest does not say which they are', async () => {
    const path = join(root, 'true')
    assert.notDeepEqual(await damagedTables(path), [])
    const manifest = readdirSync(path).find((name) => name.startsWith('MANIFEST')) as string
    // A whole record that ends in the midst of a field.
    writeFileSync(join(path, manifest), logFileOf(Uint8Array.of(7)))
    assert.deepEqual(await damagedTables(path), [])
    rmSync(join(path, 'CURRENT'))
    assert.deepEqual(await damagedTables(path), [])
    assert.deepEqual(await damagedTables(join(root, 'absent')), [])
  })
})
