import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type StartFlags, startOptions } from '../../../src/cli/services/start-flags.ts'
import type { NodeRole } from '../../../src/events/index.ts'

describe('a start with a network of one’s own that is not there', () => {
  let root: string
  const at = (name: string) => join(root, name)
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'p2pt-to-join-'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  const options = (role: NodeRole, flags: StartFlags) =>
    startOptions(
      role,
      { data: at('data'), network: at('networks/herbz'), host: '127.0.0.1', ...flags },
      () => {},
      new AbortController().signal,
    )

  for (const role of ['client', 'index'] as const)
    it(`makes nothing for a node of role ${role} that is told of no bootstrap`, async () => {
      await assert.rejects(options(role, {}), {
        code: 'usage',
        message: /needs at least one --bootstrap .*: the network in .*herbz, which is not there yet, names none/,
      })
      assert.deepEqual(readdirSync(root), [])
    })

  it('makes nothing where another flag is wrong', async () => {
    for (const wrong of [{ bootstrap: ['nonsense'] }, { bootstrap: ['127.0.0.1:4700'], 'upload-limit': 'fast' }])
      await assert.rejects(options('client', wrong), { code: 'usage' })
    assert.deepEqual(readdirSync(root), [])
  })

  it('makes nothing where webtorrent is to encrypt', async () => {
    const flags: StartFlags = { bootstrap: ['127.0.0.1:4700'], engine: 'webtorrent', encryption: 'require' }
    await assert.rejects(options('client', flags), { code: 'usage', message: /needs --engine p2pt/ })
    assert.deepEqual(readdirSync(root), [])
    assert.equal((await options('client', { ...flags, engine: 'p2pt' })).encryption, 'require')
  })

  it('is joined where node.json is damaged and the log could not say what stood in it', async () => {
    mkdirSync(at('data'))
    writeFileSync(at('data/node.json'), '{"format":')
    assert.ok((await options('bootstrap', {})).joining)
    await assert.rejects(options('bootstrap', { network: '' }), { code: 'usage', message: /its node\.json cannot be read/ })
  })

  it('makes it for a bootstrap, and for a node that is told of one', async () => {
    const { joining } = await options('bootstrap', {})
    assert.ok(joining && existsSync(at('networks/herbz/owner.seed')))
    assert.ok((await options('client', { bootstrap: ['127.0.0.1:4700'], network: at('other') })).joining)
    assert.ok(existsSync(at('other/owner.seed')))
    await assert.rejects(options('client', {}), { message: /: the network in .*herbz names none/ })
  })
})
