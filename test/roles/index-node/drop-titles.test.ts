import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Event, InfoHash } from '../../../src/events/index.ts'
import { partitionDigest, partitionOf } from '../../../src/projections/index.ts'
import { TitlePlaces, type TitlePlacesOptions } from '../../../src/roles/index-node/title-places.ts'

import { crowd, PLACES, type Started, startOwner } from './crowded-owner.ts'

describe('titles that have lost their last place', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-drop-'))
  let directories = 0
  let close = async () => {}
  afterEach(() => close())
  after(() => rmSync(root, { recursive: true }))

  async function started(more: Partial<TitlePlacesOptions> = {}): Promise<Started> {
    const owner = await startOwner(join(root, String(directories++)), more)
    close = owner.close
    return owner
  }

  it('go from the log, the index and the budgets, as if they had never come', async () => {
    const node = await started()
    const said = await crowd(node, 22)
    const partition = partitionDigest(node.states.state('keyword-index'), partitionOf('orbit'))
    assert.equal(await node.places.round(), 8 + 2 * 3)
    assert.equal(node.titles().length, PLACES)
    assert.notEqual(partitionDigest(node.states.state('keyword-index'), partitionOf('orbit')), partition)
    await node.assertReplayed()
    // Sent again, it is told what became of it, and not that it is held.
    const again = await node.say(...said)
    assert.equal(again.filter((outcome) => outcome === 'below-rank').length, 14)
    assert.equal(again.filter((outcome) => outcome === 'duplicate').length, said.length - 14)
    await node.assertReplayed()
  })

  it('go so many a round and not one more; the next round goes on, until fewer than a fifth are too many', async () => {
    const node = await started({ droppedMax: 4 })
    await crowd(node, 0)
    const left: number[] = []
    for (let round = 0; round < 4; round++) {
      await node.places.round()
      left.push(node.titles().length)
    }
    assert.deepEqual(left, [26, 22, 22, 22])
    await node.assertReplayed()
  })

  it('go from the index with the next round where one was cut off between the log and that', async () => {
    const node = await started()
    await crowd(node, 0)
    const cutOff = new TitlePlaces({
      ...node.options,
      async drop(torrents) {
        const gone = ({ event }: { event: Event }) => 'infoHash' in event && torrents.has(event.infoHash as InfoHash)
        await node.log.prune({ to: node.log.head, kinds: ['torrent.published'], throughEnd: true, drop: gone })
        throw new Error('the machine stopped')
      },
    })
    await assert.rejects(cutOff.round(), /stopped/)
    assert.equal(node.titles().length, 30)
    await node.places.round()
    assert.equal(node.titles().length, PLACES)
    assert.equal(node.states.digest('keyword-index'), await node.states.digestAt('keyword-index'))
  })
})
