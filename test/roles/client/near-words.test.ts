import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import { HeldOffOwners } from '../../../src/roles/client/held-off-owners.ts'
import { queryMeant } from '../../../src/roles/client/near-words.ts'
import { decodeNearWords, encodeNearWordsReply, INDEX_METHODS } from '../../../src/roles/index-node/index-messages.ts'
import { node } from '../../projections/envelopes.ts'

type Says = (words: string[]) => [word: string, documents: number][][] | Error | Uint8Array

/** Index nodes by name, and what each says of the words that it is asked about. */
function network(says: Record<string, Says>, heldOffNames: string[] = []) {
  const names = new Map(Object.keys(says).map((name) => [node(name), name]))
  const heldOff = new HeldOffOwners(() => 0)
  for (const name of heldOffNames) heldOff.holdOff(node(name))
  const asked: string[] = []
  const request = async (to: NodeId, method: string, body: Uint8Array, options: { timeoutMs?: number } = {}) => {
    assert.deepEqual([method, options.timeoutMs], [INDEX_METHODS.nearWords, 2_000])
    const name = names.get(to) ?? ''
    asked.push(name)
    const reply = says[name]?.(decodeNearWords(body)) ?? new Error('nobody')
    if (reply instanceof Error) throw reply
    if (reply instanceof Uint8Array) return reply
    return encodeNearWordsReply(reply.map((near) => near.map(([word, documents]) => ({ word, documents }))))
  }
  const parts = { map: { indexNodes: () => [...names.keys()] }, overlay: { request }, heldOff }
  return { asked, meant: (query: string) => queryMeant(query, parts as unknown as Parameters<typeof queryMeant>[1]) }
}
const always =
  (...near: [word: string, documents: number][]): Says =>
  (words) =>
    words.map(() => near)

describe('what was meant by a query that found nothing', () => {
  it('is the word that most index nodes name, and of those the commonest, however loud a single one is', async () => {
    const { meant } = network({
      ada: always(['plants', 5]),
      bob: always(['plants', 9], ['planks', 7]),
      cy: always(['planks', 8]),
      eve: always(['plangs', 1_000_000]),
    })
    assert.equal(await meant('alpine plans'), 'alpine plants')
    const tie = network({ ada: always(['plants', 5]), bob: always(['planks', 6]) })
    assert.equal(await tie.meant('plans'), 'planks')
  })

  it('has one vote of each node, for words that are one slip away alone', async () => {
    const { meant } = network({
      ada: always(['plants', 5]),
      bob: always(['plants', 5]),
      eve: always(['planks', 9], ['planks', 9], ['planks', 9]),
      mallory: always(['elephant', 9], ['plans', 9], ['pl', 9]),
    })
    assert.equal(await meant('plans'), 'plants')
    assert.equal(await network({ eve: always(['elephant', 9], ['plans', 9]) }).meant('plans'), undefined)
  })

  it('is told of each word for itself, and left as it is where nobody knows better', async () => {
    const { meant } = network({
      ada: (words) => words.map((word) => (word === 'alpin' ? [['alpine', 3]] : [])),
      bob: (words) => words.map((word) => (word === 'plnts' ? [['plants', 3]] : [])),
    })
    assert.equal(await meant('alpin plnts zebra'), 'alpine plants zebra')
    assert.equal(await meant('zebra'), undefined)
  })

  it('is asked of nobody where no word can be a slip', async () => {
    const { asked, meant } = network({ ada: always(['x264', 3]) })
    assert.equal(await meant('x265 big 1080p'), undefined)
    assert.deepEqual(asked, [])
  })

  it('is asked of five at most, last of those that lied before; who fails or talks nonsense takes nothing from the others', async () => {
    const silent = always()
    const six = network({ a: silent, b: silent, c: silent, d: silent, e: silent, f: silent }, ['a', 'c'])
    assert.equal(await six.meant('plans'), undefined)
    assert.deepEqual(six.asked, ['b', 'd', 'e', 'f', 'a'])
    const { meant } = network({
      dead: () => new Error('timeout'),
      odd: () => Uint8Array.of(255, 255, 255),
      long: (words) => [...words, 'more'].map(() => [['plants', 1]]),
      good: always(['plants', 2]),
    })
    assert.equal(await meant('plans'), 'plants')
    assert.equal(await network({}).meant('plans'), undefined)
  })
})
