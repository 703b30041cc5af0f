import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  BOOTSTRAPS_MAX,
  decodeJoinString,
  type Millis,
  NAME_BYTES_MAX,
  readCredential,
  readInvitation,
  readRevocation,
} from '../../../src/events/index.ts'
import { keyOfSeed, randomSeed, sha256, verifierOf } from '../../../src/events/keys/signer.sodium.ts'
import { createOwnerFolder, openJoinString, openOwnerFolder, readNetwork } from '../../../src/roles/owner/owner-folder.fs.ts'

const NOW = 1_700_000_000_000 as Millis
const now = () => NOW
const NEVER = 0 as Millis

describe('the folder of an owner', () => {
  let root: string
  const at = (name: string) => join(root, name)
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'p2pt-owner-'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  const make = (name: string, more: Partial<Parameters<typeof createOwnerFolder>[1]> = {}) =>
    createOwnerFolder(at(name), { name: 'herbs', open: false, bootstraps: ['192.0.2.10:4000'], ...more }, NOW)
  const refused = (code: string, message: RegExp) => ({ name: 'ServiceError', code, message })

  it('is made once, whole, with a key that only its owner can read, and stays as it is', () => {
    assert.equal(make('deep/herbs'), true)
    assert.deepEqual(readdirSync(at('deep/herbs')).sort(), ['network.json', 'owner.seed'])
    assert.deepEqual(readdirSync(at('deep')), ['herbs'])
    assert.equal(statSync(at('deep/herbs/owner.seed')).mode & 0o777, 0o600)
    const before = readFileSync(at('deep/herbs/network.json'), 'utf8')
    assert.equal(make('deep/herbs', { name: 'other' }), false)
    assert.equal(readFileSync(at('deep/herbs/network.json'), 'utf8'), before)
    const { genesis, bootstraps, network } = openOwnerFolder(at('deep/herbs'), now)
    assert.deepEqual([genesis.name, genesis.open, genesis.createdAt, bootstraps], ['herbs', false, NOW, ['192.0.2.10:4000']])
    assert.equal(genesis.owner, keyOfSeed(readFileSync(at('deep/herbs/owner.seed'))))
    make('again')
    assert.notEqual(openOwnerFolder(at('again'), now).network, network, 'of one name, and another network')
  })

  it('that several processes make at the same moment is one network for all of them', async () => {
    const program = new URL('create-network.ts', import.meta.url).pathname
    const children = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const child = spawn(process.execPath, [program, at('herbs')], { stdio: ['pipe', 'pipe', 'inherit'] })
        await once(child.stdout, 'data')
        return child
      }),
    )
    const answers = await Promise.all(
      children.map(async (child) => {
        child.stdin.write('go\n')
        const [line] = (await once(child.stdout, 'data')) as [Buffer]
        return JSON.parse(line.toString()) as { made: boolean; id: string }
      }),
    )
    assert.equal(answers.filter(({ made }) => made).length, 1)
    assert.equal(new Set(answers.map(({ id }) => id)).size, 1)
    assert.deepEqual(readdirSync(root), ['herbs'], 'nothing is left beside it')
  }).timeout(60_000)

  it('makes invitations that its own network takes, and whose strings say where it is', () => {
    make('herbs')
    const folder = openOwnerFolder(at('herbs'), now)
    const verify = verifierOf(folder.network)
    const expiresAt = (NOW + 5) as Millis
    const { invitation, join: text } = folder.invite({ role: 'member', name: 'Graz', expiresAt })
    const ticket = decodeJoinString(text, sha256)
    assert.deepEqual(ticket.bootstraps, ['192.0.2.10:4000'])
    const { invitation: signed } = ticket
    assert.ok(signed)
    const expected = { key: invitation, role: 'member', name: 'Graz', issuedAt: NOW, expiresAt }
    assert.deepEqual(readInvitation(signed, folder.genesis.owner, verify), expected)
    assert.equal(keyOfSeed(signed.seed), invitation)
    const other = folder.invite({ role: 'client', name: '', expiresAt: NEVER, bootstraps: ['a:1', 'b:2'] })
    assert.deepEqual(decodeJoinString(other.join, sha256).bootstraps, ['a:1', 'b:2'])
    assert.notEqual(other.invitation, invitation)
    const node = keyOfSeed(randomSeed())
    const credential = folder.joining('client', 'here').credentialOf(node)
    assert.equal(readCredential(credential, node, folder.genesis.owner, verify).name, 'here')
    const revocation = folder.revoke(node, 'has left')
    assert.deepEqual(readRevocation(revocation, folder.genesis.owner, verify), { key: node, at: NOW, reason: 'has left' })
    make('open', { open: true })
    assert.equal(decodeJoinString(openJoinString(readNetwork(at('open'))), sha256).invitation, undefined)
  })

  it('has bounds, each refused one past its maximum', () => {
    make('longest', { name: 'x'.repeat(NAME_BYTES_MAX), bootstraps: Array.from({ length: BOOTSTRAPS_MAX }, () => 'a:1') })
    for (const name of ['', 'x'.repeat(NAME_BYTES_MAX + 1), 'ä'.repeat(33), 'a/b', 'a\nb'])
      assert.throws(() => make('no', { name }), refused('usage', /a network's name has 1 to 64 bytes/), JSON.stringify(name))
    const tooMany = Array.from({ length: BOOTSTRAPS_MAX + 1 }, () => 'a:1')
    assert.throws(() => make('no', { bootstraps: tooMany }), refused('usage', /at most 16 bootstraps/))
    assert.throws(() => make('no', { bootstraps: ['h'.repeat(263)] }), refused('usage', /at most 16 bootstraps of 262 bytes/))
    assert.ok(!existsSync(at('no')))
    make('herbs')
    const folder = openOwnerFolder(at('herbs'), now)
    const invite = (more: object) => folder.invite({ role: 'client', name: '', expiresAt: NEVER, ...more })
    assert.throws(
      () => invite({ name: 'x'.repeat(NAME_BYTES_MAX + 1) }),
      refused('usage', /the name of an invitation has at most 64 bytes/),
    )
    assert.throws(() => invite({ name: 'a\u001bb' }), refused('usage', /the name of an invitation/))
    assert.throws(() => invite({ bootstraps: tooMany }), refused('usage', /at most 16 bootstraps/))
    assert.throws(
      () => folder.revoke(keyOfSeed(randomSeed()), 'x'.repeat(129)),
      refused('usage', /a reason has at most 128 bytes/),
    )
  })

  it('whose key is missing, foreign or damaged still shows the network, and invites nobody', () => {
    make('herbs')
    const seed = at('herbs/owner.seed')
    const attempts = () => {
      const folder = openOwnerFolder(at('herbs'), now)
      assert.equal(folder.genesis.name, 'herbs')
      return [
        () => folder.invite({ role: 'client', name: '', expiresAt: NEVER }),
        () => folder.joining('client', ''),
        () => folder.revoke(keyOfSeed(randomSeed()), ''),
      ]
    }
    const lacking = /without it nobody can be invited or revoked: run this where the key of the network "herbs" is kept/
    for (const [change, message] of [
      [() => writeFileSync(seed, randomSeed()), /owner\.seed is not the key of the owner of this network/],
      [() => writeFileSync(seed, 'short'), /owner\.seed is not the key of the owner/],
      [() => rmSync(seed), /the owner's key .*owner\.seed cannot be read/],
    ] as const) {
      change()
      for (const attempt of attempts()) {
        assert.throws(attempt, refused('failed', message))
        assert.throws(attempt, refused('failed', lacking))
      }
    }
  })

  it('that is not there, or of which the record is damaged, says what to do', () => {
    assert.throws(
      () => openOwnerFolder(at('absent'), now),
      refused('failed', /there is no network of yours in .*absent: make one/),
    )
    mkdirSync(at('empty'))
    assert.throws(() => openOwnerFolder(at('empty'), now), refused('failed', /there is no network of yours/))
    make('herbs')
    for (const text of [
      '',
      '{',
      'null',
      '{}',
      '{"genesis":"zz","bootstraps":[]}',
      '{"genesis":"0a","bootstraps":[]}',
      '{"genesis":5}',
    ]) {
      writeFileSync(at('herbs/network.json'), text)
      assert.throws(
        () => openOwnerFolder(at('herbs'), now),
        refused('failed', /network\.json is damaged: put it back from a copy/),
        text,
      )
    }
  })

  it('that cannot be written says so, and leaves nothing behind', () => {
    writeFileSync(at('file'), '')
    assert.throws(() => make('file/herbs'), refused('failed', /the network cannot be kept in .*file\/herbs/))
    // Something else is there, which stays.
    mkdirSync(at('other'))
    writeFileSync(at('other/diary.txt'), 'mine')
    assert.throws(() => make('other'), refused('failed', /the network cannot be kept in/))
    assert.deepEqual(readdirSync(root).sort(), ['file', 'other'])
    assert.deepEqual(readdirSync(at('other')), ['diary.txt'])
  })
})
