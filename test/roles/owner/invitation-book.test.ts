import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Invitation, Millis } from '../../../src/events/index.ts'
import { keyOfSeed, randomSeed } from '../../../src/events/keys/signer.sodium.ts'
import { enterInBook, INVITATIONS_MAX, readBook } from '../../../src/roles/owner/invitation-book.fs.ts'
import { createOwnerFolder, openOwnerFolder } from '../../../src/roles/owner/owner-folder.fs.ts'

const NOW = 1_700_000_000_000 as Millis
const NEVER = 0 as Millis
const DAMAGED = { name: 'ServiceError', code: 'failed', message: /invitations\.json is damaged: put it back from a copy, or/ }

describe('the book of invitations', () => {
  let root: string
  const at = (name: string) => join(root, name)
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'p2pt-book-'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))
  const made = (name: string, expiresAt = NEVER): Invitation => ({
    ...{ key: keyOfSeed(randomSeed()), role: 'client', name, issuedAt: NOW, expiresAt },
  })
  const names = () => readBook(root).map(({ name }) => name)
  const write = (invitations: readonly Invitation[]) =>
    writeFileSync(at('invitations.json'), JSON.stringify({ format: 1, invitations }))

  it('has each invitation that the owner made, before its string is given out, and no secret', () => {
    createOwnerFolder(at('herbs'), { name: 'herbs', open: false, bootstraps: ['a:1'] }, NOW)
    const folder = openOwnerFolder(at('herbs'), () => NOW)
    assert.deepEqual(folder.invitations(), [])
    const expiresAt = (NOW + 5) as Millis
    const dora = folder.invite({ role: 'member', name: 'Dora', expiresAt }).invitation
    const other = folder.invite({ role: 'client', name: '', expiresAt: NEVER }).invitation
    assert.deepEqual(openOwnerFolder(at('herbs'), () => NOW).invitations(), [
      { key: dora, role: 'member', name: 'Dora', issuedAt: NOW, expiresAt },
      { key: other, role: 'client', name: '', issuedAt: NOW, expiresAt: NEVER },
    ])
    folder.joining('client', 'a node of this machine')
    assert.equal(folder.invitations().length, 2)
    assert.equal(statSync(at('herbs/invitations.json')).mode & 0o777, 0o600)
    assert.doesNotMatch(readFileSync(at('herbs/invitations.json'), 'utf8'), /seed|p2pt:/)
    assert.deepEqual(readdirSync(at('herbs')).sort(), ['invitations.json', 'network.json', 'owner.seed'])
  })

  it('that is damaged is said to be, stays as it is, and no invitation is made', () => {
    createOwnerFolder(at('herbs'), { name: 'herbs', open: false, bootstraps: [] }, NOW)
    const folder = openOwnerFolder(at('herbs'), () => NOW)
    const { key } = made('x')
    const texts = ['', '{', 'null', '[]', '{"format":2,"invitations":[]}', '{"format":1}', '{"format":1,"invitations":[null]}']
    for (const text of [...texts, JSON.stringify({ format: 1, invitations: [{ key, role: 'owner', name: 'x' }] })]) {
      writeFileSync(at('herbs/invitations.json'), text)
      assert.throws(() => folder.invitations(), DAMAGED, text)
      assert.throws(() => folder.invite({ role: 'client', name: '', expiresAt: NEVER }), DAMAGED, text)
      assert.equal(readFileSync(at('herbs/invitations.json'), 'utf8'), text)
    }
    assert.ok(folder.revoke(key, ''), 'who knows the key can revoke')
  })

  it('has at most so many: those that expired go first, then the oldest', () => {
    const full = Array.from({ length: INVITATIONS_MAX - 1 }, (_, index) => ({ ...made(''), name: String(index) }))
    // Not the oldest: that one would go without it, too.
    write([...full.slice(0, 5), made('ends', (NOW + 1) as Millis), ...full.slice(5)])
    enterInBook(root, made('new'), (NOW + 1) as Millis)
    assert.deepEqual([names().length, names()[0], names().at(-1)], [INVITATIONS_MAX, '0', 'new'])
    enterInBook(root, made('newer'), NOW)
    assert.deepEqual([names().length, names()[0], names().at(-1)], [INVITATIONS_MAX, '1', 'newer'])
  }).timeout(20_000)

  it('that cannot be written is told, and no invitation is made', () => {
    mkdirSync(at('invitations.json.new'))
    assert.throws(() => enterInBook(root, made('x'), NOW), {
      ...{ name: 'ServiceError', code: 'failed', message: /^no invitation is made, as it cannot be noted in / },
    })
    assert.deepEqual(names(), [])
    assert.ok(!readdirSync(root).includes('invitations.json.lock'))
  })

  it('forgets none that several processes make at the same moment', async () => {
    createOwnerFolder(at('herbs'), { name: 'herbs', open: false, bootstraps: [] }, NOW)
    const program = new URL('make-invitations.ts', import.meta.url).pathname
    const children = Array.from({ length: 3 }, (_, index) =>
      spawn(process.execPath, [program, at('herbs'), String(index), '10'], { stdio: 'inherit' }),
    )
    for (const [code] of await Promise.all(children.map((child) => once(child, 'exit')))) assert.equal(code, 0)
    const all = readBook(at('herbs'))
    assert.equal(new Set(all.map(({ name }) => name)).size, 30)
    assert.deepEqual(readdirSync(at('herbs')).sort(), ['invitations.json', 'network.json', 'owner.seed'])
  }).timeout(60_000)
})
