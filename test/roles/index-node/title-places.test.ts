import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type InfoHash, OPEN_PARTY, type SignedEvent, scanBody } from '../../../src/events/index.ts'
import { hashKeyword, keywordsOf, partitionOf, Turns, weigh } from '../../../src/projections/index.ts'
import { type TitlePlacesOptions, TURNED_AWAY_MAX } from '../../../src/roles/index-node/title-places.ts'
import { mergeFrom, writeSegment } from '../../projections/keyword-index/index-states.ts'

import { crowd, hashOf, ME, OWNED, PLACES, type Started, startOwner, Voice } from './crowded-owner.ts'

describe('the places that an owner gives to titles', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-places-'))
  let directories = 0
  let close = async () => {}
  afterEach(() => close())
  after(() => rmSync(root, { recursive: true }))

  async function started(more: Partial<TitlePlacesOptions> = {}): Promise<Started> {
    const owner = await startOwner(join(root, String(directories++)), more)
    close = owner.close
    return owner
  }

  it('are cut only when a fifth more has come, and then to what they are', async () => {
    const node = await started()
    await crowd(node, 0)
    await node.places.round()
    assert.equal(node.titles().length, PLACES)
    // Newcomers have places: three more are over the boundary, and stay until there are four.
    const [a, b, c] = node.voices.slice(6) as [Voice, Voice, Voice]
    await node.say(a.publishes('orbit more1'), b.publishes('orbit more2'), c.publishes('orbit more3'))
    assert.equal(await node.places.round(), 0)
    assert.equal(node.titles().length, PLACES + 3)
    await node.say(a.publishes('orbit more4'), b.publishes('orbit more5'))
    assert.equal(await node.places.round(), 5)
    assert.equal(node.titles().length, PLACES)
    await node.assertReplayed()
  })

  it('are all taken: who has none is sent away at the door, and let in when enough parties offer it', async () => {
    const node = await started()
    await crowd(node)
    await node.places.round()
    const [a, b, c] = node.voices.slice(6) as [Voice, Voice, Voice]
    const head = node.log.head
    const first = a.publishes('orbit unknown')
    assert.deepEqual(await node.say(first, b.verifies('orbit unknown')), ['below-rank', 'below-rank'])
    // The same key twice is no other party.
    assert.deepEqual(await node.say(first, b.verifies('orbit unknown')), ['below-rank', 'below-rank'])
    assert.equal(node.log.head, head)
    const { author, authorSeq } = scanBody(first.body)
    assert.ok(node.places.isDeclined({ author, authorSeq }))
    assert.ok(!node.places.isDeclined({ author, authorSeq: authorSeq + 1 }))
    assert.deepEqual(await node.say(c.verifies('orbit unknown'), first), ['stored', 'stored'])
    assert.ok(node.titles().includes('orbit unknown'))
  })

  it('are of one word: what another word or the info hash has a place for is kept, and so is what is known or taken back', async () => {
    const node = await started()
    await crowd(node)
    await node.places.round()
    const newcomer = node.voices[8] as Voice
    const known = node.titles()[0] as string
    assert.deepEqual(
      await node.say(
        newcomer.publishes('orbit alone'),
        newcomer.publishes('quiet orbit'),
        newcomer.publishes('orbit by hash', hashOf('orbit by hash', true)),
        newcomer.verifies(known),
        newcomer.withdraws('orbit alone'),
      ),
      ['below-rank', 'stored', 'stored', 'stored', 'stored'],
    )
    // They are in the list of the full word as well, and no reason to let go of anything else, or of them.
    assert.equal(node.titles().length, PLACES + 2)
    assert.equal(await node.places.round(), 0)
    await node.assertReplayed()
  })

  it('are lost in a list by nothing that has the place of its info hash', async () => {
    const node = await started()
    const first = (node.voices[8] as Voice).publishes('orbit by hash', hashOf('orbit by hash', true))
    await node.say(first)
    // Better or later than it, all of them.
    await crowd(node)
    await node.places.round()
    assert.equal(node.titles().length, PLACES + 1)
    assert.ok(node.titles().includes('orbit by hash'))
  })

  it('are not given to what nobody signed, and nothing is remembered of it', async () => {
    const node = await started()
    await crowd(node)
    await node.places.round()
    const event = (node.voices[8] as Voice).publishes('orbit forged')
    assert.deepEqual(await node.say({ ...event, signature: new Uint8Array(64) }), ['forged'])
    assert.ok(!node.places.isDeclined(scanBody(event.body)))
    // Somebody whose admission has not come is the log's to judge.
    assert.deepEqual(await node.say(new Voice(60).publishes('orbit stranger')), ['deferred'])
  })

  it('are not taken by what is said of a torrent while it is let go of, and what was let through before is waited for', async () => {
    const told: unknown[] = []
    const ingesting = Promise.withResolvers<void>()
    const node: Started = await started({
      async drop(torrents) {
        told.push('drop', torrents.size)
        const [one] = [...torrents].map((infoHash) => Number.parseInt(infoHash, 16))
        assert.ok(one !== undefined)
        const titles = Array.from({ length: 30 }, (_, number) => `orbit n${number}`)
        const leaving = titles.find((title) => torrents.has(hashOf(title)))
        assert.ok(leaving)
        told.push(...(await node.say((node.voices[8] as Voice).verifies(leaving))))
        return 0
      },
    })
    await crowd(node, 0)
    const waited = node.places.during(ingesting.promise)
    const round = node.places.round()
    for (let turn = 0; turn < 50; turn++) await new Promise((next) => setImmediate(next))
    assert.deepEqual(told, [])
    ingesting.resolve()
    await Promise.all([waited, round])
    assert.deepEqual(told, ['drop', 10, 'below-rank'])
  })

  it('are counted in segments that are merged meanwhile, and never read where those stood', async () => {
    let between = () => {}
    let ms = 0
    const now = () => {
      ms += 100
      return ms
    }
    const yieldToEventLoop = async () => between()
    const node = await started({ newTurns: () => new Turns({ now, yieldToEventLoop }) })
    const state = node.states.state('keyword-index')
    await crowd(node, 0)
    writeSegment(state)
    const newcomers = node.voices.slice(6).map((voice, at) => voice.publishes(`orbit more${at}`))
    await node.say(...newcomers)
    writeSegment(state)
    let turns = 0
    between = () => {
      turns += 1
      // Between the first segment and the second.
      if (turns !== 4) return
      const before = state.listings.segments
      assert.equal(before.length, 2)
      mergeFrom(state)
      const list = () => assert.fail('it was merged')
      for (const segment of before) Object.assign(segment, { list })
    }
    await node.places.round()
    assert.ok(turns > 4)
    assert.equal(node.titles().length, PLACES)
    await node.assertReplayed()
  })

  it('are given to whoever was sent away as long as there is room to remember who offers what', async () => {
    const node = await started()
    await crowd(node)
    await node.places.round()
    const [a, b, c] = node.voices.slice(6) as [Voice, Voice, Voice]
    const takes = (event: SignedEvent) => node.places.takes(scanBody(event.body))
    assert.ok(!takes(a.publishes('orbit first')))
    assert.ok(!takes(b.verifies('orbit first')))
    // So many others come between; one more, and the first is forgotten with those who offered it.
    let number = 0
    const others = (count: number) => {
      for (let left = count; left > 0; number++) {
        const infoHash = number.toString(16).padStart(40, 'a') as InfoHash
        if (OWNED.has(partitionOf(hashKeyword(infoHash)))) continue
        assert.ok(!takes(a.publishes('orbit other', infoHash)))
        left -= 1
      }
    }
    others(TURNED_AWAY_MAX - 1)
    assert.ok(takes(c.verifies('orbit first')), 'it is remembered')
    assert.ok(!takes(a.publishes('orbit second')))
    assert.ok(!takes(b.verifies('orbit second')))
    others(TURNED_AWAY_MAX)
    assert.ok(!takes(c.verifies('orbit second')), 'it is forgotten')
  })

  it('are given by what strangers hold as the index ranks it: many of them are many seeders, and one party', async () => {
    const node = await started()
    weigh(node.states.state('keyword-index'), () => OPEN_PARTY)
    await crowd(node)
    // Seven keys hold each.
    await node.say(...node.titles().flatMap((title) => node.voices.slice(0, 7).map((voice) => voice.verifies(title))))
    await node.places.round()
    assert.equal(node.titles().length, PLACES)
    const [a, b, c] = node.voices.slice(6) as [Voice, Voice, Voice]
    const first = [a.publishes('orbit unknown'), b.verifies('orbit unknown'), c.verifies('orbit unknown')]
    assert.deepEqual(await node.say(...first), ['below-rank', 'below-rank', 'below-rank'])
  })

  it("are nobody's concern where a node owns everything: each title has the place of its info hash", async () => {
    const owned = { ownersOf: () => [ME.id], rankedOwners: () => [ME.id] }
    const node = await started({
      map: { keywordsOf: (infoHash, title) => [...keywordsOf(title), hashKeyword(infoHash)], ...owned },
    })
    await crowd(node, 0)
    assert.equal(await node.places.round(), 0)
    assert.equal(node.places.of('orbit'), undefined)
    assert.equal(node.titles().length, 30)
  })

  it('are told: how many are kept of a word, of how many that are known', async () => {
    const node = await started()
    await crowd(node)
    assert.equal(node.places.of('orbit'), undefined)
    await node.places.round()
    assert.deepEqual(node.places.of('orbit'), { kept: PLACES, known: 30 })
    assert.ok(node.places.isCut(partitionOf('orbit')))
    assert.ok(!node.places.isCut(partitionOf('quiet')))
    await node.say((node.voices[8] as Voice).publishes('orbit more'))
    assert.deepEqual(node.places.of('orbit'), { kept: PLACES, known: 31 })
    assert.equal(node.places.of('n1'), undefined)
  })
})
