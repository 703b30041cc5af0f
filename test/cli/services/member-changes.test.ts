import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memberChanges } from '../../../src/cli/services/member-changes.ts'
import { startNode } from '../../../src/roles/compose.ts'
import type { RunningNode, StartOptions } from '../../../src/roles/start.ts'
import { joiningAs } from '../../events/test-network.ts'

describe('watching members', () => {
  let root: string
  const running: RunningNode[] = []

  const start = async (role: 'bootstrap' | 'index', more: Partial<StartOptions> = {}): Promise<RunningNode> => {
    const place = { dataDirectory: join(root, `${role}${running.length}`), host: '127.0.0.1', port: 0, bootstrap: [] }
    const node = await startNode(
      { role, joining: joiningAs(role), ...place, logLevel: 'silent', ...more },
      new AbortController().signal,
    )
    running.push(node)
    return node
  }

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'p2pt-watch-'))
  })

  after(async () => {
    for (const node of running.reverse()) await node[Symbol.asyncDispose]()
    await rm(root, { recursive: true, force: true })
  })

  it('tells who comes and who leaves, once each, and nothing of those told before', async () => {
    const bootstrap = await start('bootstrap')
    const { endpoint, id, log } = await bootstrap.node.status()
    assert.ok(endpoint)
    const first = await bootstrap.node.members()
    const changes = memberChanges(bootstrap.node, first, log.head)
    const told = async () => {
      const { value } = await changes.next()
      assert.ok(value)
      return [value.id === id ? 'itself' : value.role, value.state]
    }
    // Whether its own first word stands in the log already depends on the moment.
    if (first.length === 0) assert.deepEqual(await told(), ['itself', 'alive'])
    const index = await start('index', { bootstrap: [endpoint] })
    assert.deepEqual(await told(), ['index', 'alive'])
    await index[Symbol.asyncDispose]()
    assert.deepEqual(await told(), ['index', 'left'])
    await changes.return(undefined)
  })
})
