import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { looseModes } from '../../../src/roles/node/loose-modes.fs.ts'

describe('what others may do with a data directory', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'p2pt-modes-'))
    writeFileSync(join(directory, 'key.seed'), new Uint8Array(32))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  const MODES: readonly [number, number, readonly RegExp[]][] = [
    [0o700, 0o600, []],
    [0o755, 0o400, []],
    [0o700, 0o604, [/use the key in .*key\.seed \(mode 0604\).*: run `chmod 600 .*key\.seed`$/]],
    [0o700, 0o640, [/\(mode 0640\)/]],
    [0o777, 0o600, [/write to .* \(mode 0777\).*: run `chmod go-w \S+`$/]],
    [0o770, 0o644, [/\(mode 0644\)/, /\(mode 0770\)/]],
  ]
  for (const [mode, keyMode, sentences] of MODES)
    it(`is told where the modes are 0${mode.toString(8)} and 0${keyMode.toString(8)}`, () => {
      chmodSync(join(directory, 'key.seed'), keyMode)
      chmodSync(directory, mode)
      const told = looseModes(directory)
      assert.equal(told.length, sentences.length, told.join())
      for (const [index, sentence] of sentences.entries()) assert.match(told[index] ?? '', sentence)
    })

  it('is nothing where there is no key', () => {
    rmSync(join(directory, 'key.seed'))
    assert.deepEqual(looseModes(directory), [])
  })
})
