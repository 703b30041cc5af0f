import { randomBytes } from 'node:crypto'
import type { InfoHash, NodeId } from '../../../src/events/index.ts'
import { randomSeed, signerFromSeed } from '../../../src/events/keys/signer.sodium.ts'
import { OWNER_COUNT, ownersOf, partitionOf } from '../../../src/projections/keyword-index/index.ts'
import {
  decodePublish,
  decodeSearch,
  encodePublishReply,
  encodeSearchReply,
  INDEX_METHODS,
  type WireHit,
} from '../../../src/roles/index-node/index-messages.ts'
import type { Attacker } from '../attacker.ts'
import type { HonestNetwork } from '../network.ts'
import type { Attack } from '../stage.ts'
import { COMMON_WORD } from '../work.ts'
import { publicationOf } from './publications.ts'

/** Seeds of keys that come before all honest nodes as owners of the common word, and so many others as are wanted. */
function groundSeeds(network: HonestNetwork, count: number): Uint8Array[] {
  const partition = partitionOf(COMMON_WORD)
  const honest = network.indexNodes.map(({ id }) => id as NodeId)
  const seeds: Uint8Array[] = []
  while (seeds.length < Math.min(count, OWNER_COUNT)) {
    const seed = randomSeed()
    const { id } = signerFromSeed(seed, network.owner.network)
    if (ownersOf(partition, [...honest, id])[0] === id) seeds.push(seed)
  }
  while (seeds.length < count) seeds.push(randomSeed())
  return seeds
}

const ownKeywords =
  (hits: (text: string, attacker: Attacker) => readonly WireHit[]): Attack =>
  async (stage) => {
    const attackers = await stage.attackers({ seeds: groundSeeds(stage.network, stage.keys) })
    for (const attacker of attackers) {
      attacker.serve(INDEX_METHODS.publish, (_, body) => encodePublishReply(decodePublish(body).map(() => 'stored' as const)))
      attacker.serve(INDEX_METHODS.search, (_, body) => {
        const { text } = decodeSearch(body)
        return encodeSearchReply({ hits: [...hits(text, attacker)], truncated: false, cursor: '', answeredBy: attacker.id })
      })
      await attacker.linkAll()
      attacker.appear()
    }
    await stage.again(1_000, async () => {
      for (const attacker of attackers) await attacker.linkAll()
    })
  }

/** Keys that own the common word: they acknowledge every publication, keep none, and find nothing. */
export const emptyAnswers = ownKeywords(() => [])

/** The same, and they find what nobody has signed: a description that says it is another's. */
export const forgedAnswers = ownKeywords((text, attacker) => {
  const infoHash = randomBytes(20).toString('hex') as InfoHash
  const { body } = publicationOf(attacker, text, infoHash)
  return [{ infoHash, seeders: 99_999, proof: [{ body, signature: randomBytes(64) }] }]
})
