import assert from 'node:assert/strict'
import { addressId, type NodeId } from '../../../src/events/index.ts'
import { createNodeService, type NodeParts } from '../../../src/roles/node/node-service.ts'
import { enforceOperatorBans } from '../../../src/roles/node/operator-bans.ts'
import type { NodeService } from '../../../src/roles/services.ts'
import { node } from '../../projections/envelopes.ts'
import { judged } from '../../projections/reputation/scenes.ts'
import { hears, openSmallLog, type SmallLog } from '../small-log.ts'

const peer = node('peer')

describe("the operator's word", () => {
  let own: SmallLog
  let links: string[]
  let service: NodeService
  const overlay = {
    ban: (id: NodeId) => links.push(`ban ${id}`),
    unban: (id: NodeId) => links.push(`unban ${id}`),
  }
  beforeEach(async () => {
    own = await openSmallLog()
    links = []
    service = createNodeService({
      log: own.log,
      appender: own.log,
      states: own.states,
      overlay,
      queries: {},
    } as unknown as NodeParts)
  })
  afterEach(() => own[Symbol.asyncDispose]())
  const enforced = () => enforceOperatorBans(own.log, own.states.state('reputation'), overlay)

  it('takes links from a node that is banned and gives them back, until that is stopped', async () => {
    const stop = enforced()
    assert.equal((await service.ban(peer, 'a bot')).standing, 'banned')
    assert.equal((await service.unban(peer, 'no bot')).standing, 'good')
    assert.deepEqual(links, [`ban ${peer}`, `unban ${peer}`])
    stop()
    await service.ban(peer, 'a bot')
    assert.equal(links.length, 2)
  })

  it('holds after a restart', async () => {
    await service.ban(peer, 'a bot')
    await service.ban(node('another'), 'a bot')
    await service.unban(node('another'), 'no bot')
    links = []
    enforced()
    assert.deepEqual(links, [`ban ${peer}`])
  })

  it('is this node’s own alone, and about links only of nodes: addresses and bad pieces take none', async () => {
    await using other = await openSmallLog(2)
    enforced()
    await hears(own, other, { kind: 'operator.banned', subject: peer, reason: 'their word' })
    await own.log.append([{ event: judged(peer, 0, 30) }])
    assert.equal((await service.ban(addressId('192.0.2.1'), 'a bot')).standing, 'banned')
    assert.deepEqual(links, [])
  })

  it('that cannot be recorded is refused with the reason, and nothing of it is carried out', async () => {
    enforced()
    own.disk.isFull = true
    await assert.rejects(service.ban(peer, 'a bot'), {
      name: 'ServiceError',
      code: 'failed',
      message: 'the ban was not recorded and does not hold: the event log could not be written: no space left on device',
    })
    assert.deepEqual([links, own.states.state('reputation').subjects.size], [[], 0])
    own.disk.isFull = false
    await service.ban(peer, 'a bot')
    own.disk.isFull = true
    await assert.rejects(service.unban(peer, 'no bot'), /the unban was not recorded and does not hold/)
    assert.deepEqual(links, [`ban ${peer}`])
    enforced()
    assert.deepEqual(links, [`ban ${peer}`, `ban ${peer}`], 'it is banned still')
  })
})
