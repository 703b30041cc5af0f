import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dataDirectory, defaultDataDirectory } from '../../../src/cli/services/data-directory.ts'
import { makeDefault } from '../../../src/cli/services/default-directory.ts'

describe('the default data directory', () => {
  let root: string
  let home: string | undefined
  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'p2pt-default-')))
    home = process.env.XDG_DATA_HOME
    process.env.XDG_DATA_HOME = join(root, 'home')
  })
  afterEach(() => {
    if (home === undefined) delete process.env.XDG_DATA_HOME
    else process.env.XDG_DATA_HOME = home
    rmSync(root, { recursive: true, force: true })
  })
  const made = (name: string): string => {
    mkdirSync(join(root, name))
    return join(root, name)
  }

  it('leads to a node elsewhere, where there is none yet', () => {
    const node = made('node')
    assert.equal(makeDefault('client', node), true)
    assert.equal(readlinkSync(defaultDataDirectory('client')), node)
    assert.equal(realpathSync(dataDirectory(undefined, 'client')), node)
    assert.equal(realpathSync(dataDirectory(undefined)), node, 'of whichever role')
    assert.equal(makeDefault('client', made('other')), false)
    assert.equal(readlinkSync(defaultDataDirectory('client')), node)
  })

  it('is not touched where there is a node, or where it is the node itself', () => {
    const place = defaultDataDirectory('index')
    assert.equal(makeDefault('index', place), false)
    assert.equal(existsSync(place), false)
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, 'key.seed'), '')
    assert.equal(makeDefault('index', made('node')), false)
    assert.equal(lstatSync(place).isSymbolicLink(), false)
  })

  it('that a refused start left empty gives way', () => {
    const place = defaultDataDirectory('index')
    mkdirSync(place, { recursive: true })
    const node = made('node')
    assert.equal(makeDefault('index', node), true)
    assert.equal(readlinkSync(place), node)
  })

  it('that leads nowhere any more gives way', () => {
    const gone = made('gone')
    assert.equal(makeDefault('bootstrap', gone), true)
    rmSync(gone, { recursive: true })
    const node = made('node')
    assert.equal(makeDefault('bootstrap', node), true)
    assert.equal(readlinkSync(defaultDataDirectory('bootstrap')), node)
  })
})
