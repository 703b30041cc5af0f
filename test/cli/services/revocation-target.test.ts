import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { revocationTarget } from '../../../src/cli/services/revocation-target.ts'
import { withBook } from '../../../src/cli/services/unused-invitations.ts'
import type { Millis, NodeId } from '../../../src/events/index.ts'
import { keyOfSeed, randomSeed } from '../../../src/events/keys/signer.sodium.ts'
import type { NetworkView } from '../../../src/roles/index.ts'
import {
  createOwnerFolder,
  type OwnerFolder,
  openJoinString,
  openOwnerFolder,
  readNetwork,
} from '../../../src/roles/owner/owner-folder.fs.ts'

const NOW = 1_700_000_000_000 as Millis
const NEVER = 0 as Millis

describe('whom an owner revokes', () => {
  let root: string
  let folder: OwnerFolder
  let node: NodeId
  let used: NodeId
  let view: NetworkView
  const ownerOf = (name: string, open = false) => {
    createOwnerFolder(join(root, name), { name, open, bootstraps: ['a:1'] }, NOW)
    return openOwnerFolder(join(root, name), () => NOW)
  }
  const invite = (name: string, expiresAt = NEVER) => folder.invite({ role: 'client', name, expiresAt })
  const target = (text: string) => revocationTarget(view, folder.invitations(), text)
  const refuses = (text: string, message: RegExp) => assert.throws(() => target(text), { code: 'usage', message })
  const revoke = (key: NodeId) => view.revoked.push({ key, kind: null, name: '', at: NOW, reason: '' })

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'p2pt-target-'))
    folder = ownerOf('herbs')
    node = keyOfSeed(randomSeed())
    used = invite('Ada').invitation
    const row = {
      node,
      role: 'client',
      invitation: used,
      invitedAs: 'Ada',
      since: NOW,
      expiresAt: null,
      state: 'admitted',
    } as const
    view = {
      ...{ id: folder.network, name: 'herbs', owner: folder.genesis.owner, open: false, createdAt: NOW, admitted: [row] },
      ...{ invitations: [{ key: used, role: 'client', name: 'Ada', expiresAt: null }], revoked: [] },
    }
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  it('is an invitation that nobody has used, by name, id, its beginning, whole key or join string', () => {
    const { invitation: key, join: text } = invite('Dora')
    const lines = `  ${text.slice(0, 40)}\n${text.slice(40)}\n`
    for (const given of ['Dora', ' Dora ', key.slice(0, 8), key.slice(0, 16).toUpperCase(), key, text, lines]) {
      const { kind, name, ...rest } = target(given)
      assert.deepEqual([rest.key, kind, name], [key, 'invitation', 'Dora'], given)
    }
    refuses(key.slice(0, 7), /is called [0-9a-f]{7} \(of an id give at least 8 digits\)/)
    assert.equal(revocationTarget(view, [], text).name, 'Dora', 'the string is enough')
    assert.deepEqual(revocationTarget(view, [], key), { key, kind: null, name: '' })
  })

  it('is a node, or an invitation with its nodes', () => {
    assert.deepEqual(target(node.slice(0, 8)), { key: node, kind: 'node', name: 'Ada' })
    assert.deepEqual(target('Ada'), { key: used, kind: 'invitation', name: 'Ada' })
  })

  it('is told by its id where two have one name, unless one of them is revoked', () => {
    const [one, two] = [invite('Dora').invitation, invite('Dora').invitation]
    const ids = `invitation ${one.slice(0, 16)}, invitation ${two.slice(0, 16)}`
    refuses('Dora', new RegExp(`^2 are called Dora, so give the id of the one: ${ids}$`))
    assert.equal(target(two.slice(0, 16)).key, two)
    revoke(one)
    assert.equal(target('Dora').key, two)
    revoke(two)
    refuses('Dora', /^2 are called Dora/)
  })

  it('is never repeated where it may be a join string', () => {
    const { join: text } = invite('Dora')
    const { join: foreign } = ownerOf('weeds').invite({ role: 'client', name: '', expiresAt: NEVER })
    view.open = true
    const bare = openJoinString(readNetwork(ownerOf('open', true).directory))
    for (const [given, message] of [
      [text.slice(0, -5), /^the join string is cut off or mistyped, its checksum/],
      [text.replace('p2pt', 'P2PT'), /^this is no join string/],
      [`x${text}`, /^this is no join string/],
      [text.slice(5), /^no node and no invitation is called like that: see/],
      [foreign, /^the join string is for the network "weeds", and this node is in "herbs"$/],
      [bare, /^the join string is for the network "open"/],
    ] as const)
      assert.throws(
        () => target(given),
        (error: Error) => message.test(error.message) && !error.message.includes(given.slice(10, 40)),
        String(message),
      )
    refuses('nobody', /^no node and no invitation is called nobody: see `p2pt network show`$/)
  })

  it('is shown with its name where the owner’s book has it, and unused while it holds', () => {
    const dora = invite('Dora').invitation
    const late = invite('late', (NOW + 1) as Millis).invitation
    const gone = invite('gone').invitation
    revoke(gone)
    revoke(node)
    const keys = (now: number) => withBook(view, folder.invitations(), now).unused?.map(({ key }) => key)
    assert.deepEqual(keys(NOW), [dora, late])
    assert.deepEqual(keys(NOW + 1), [dora])
    const { revoked } = withBook(view, folder.invitations(), NOW)
    assert.deepEqual(
      revoked.map(({ kind, name }) => [kind, name]),
      [
        ['invitation', 'gone'],
        [null, ''],
      ],
    )
    assert.deepEqual(withBook(view, undefined, NOW), { ...view, unused: null })
  })
})
