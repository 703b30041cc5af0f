import { deepEqual, equal, throws } from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyOfSeed, SEED_BYTES } from '../../../src/events/keys/signer.sodium.ts'
import { keyHolder, keyPath, readSeed } from '../../../src/roles/directory/key-file.fs.ts'

describe('the file with the seed of a key', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'p2pt-key-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))
  const seed = new Uint8Array(SEED_BYTES).fill(5)

  it('holds a seed, and says whose key that is', () => {
    writeFileSync(keyPath(directory), seed)
    deepEqual(new Uint8Array(readSeed(directory)), seed)
    equal(keyHolder(directory), keyOfSeed(seed))
  })

  it('is of nobody where it is not there', () => {
    equal(keyHolder(directory), undefined)
    throws(() => readSeed(directory), { name: 'DataDirectoryError', code: 'DIRECTORY_UNUSABLE', message: /no such file/ })
  })

  it('is no seed with a byte more or less', () => {
    for (const length of [0, SEED_BYTES - 1, SEED_BYTES + 1]) {
      writeFileSync(keyPath(directory), new Uint8Array(length))
      const refusal = {
        code: 'DIRECTORY_UNUSABLE',
        message: `${directory} cannot be used as a data directory: key.seed has ${length} bytes, not ${SEED_BYTES}`,
      }
      throws(() => readSeed(directory), refusal)
      throws(() => keyHolder(directory), refusal)
    }
  })

  it('that cannot be read says so', () => {
    mkdirSync(keyPath(directory))
    throws(() => keyHolder(directory), { code: 'DIRECTORY_UNUSABLE', message: /EISDIR/ })
  })
})
