import { randomBytes } from 'node:crypto'
import type { InfoHash, NodeId, SignedEvent } from '../../../src/events/index.ts'
import { encodePublish, INDEX_METHODS } from '../../../src/roles/index-node/index-messages.ts'
import type { Attacker } from '../attacker.ts'
import type { Attack } from '../stage.ts'
import { COMMON_WORD } from '../work.ts'

const LONG_TITLE = 500
/** Requests under way with one node: it takes 32 of a peer. */
const UNDER_WAY = 8

export const publicationOf = (attacker: Attacker, title: string, infoHash = randomBytes(20).toString('hex')): SignedEvent =>
  attacker.event(
    { kind: 'torrent.published', infoHash: infoHash as InfoHash, title, sizeBytes: 1, fileCount: 1, tags: [] },
    { stream: 'index' },
  )

/** So many words, all new. */
function longTitle(): string {
  let title = ''
  while (title.length < LONG_TITLE - 8) title += `${randomBytes(4).toString('base64url').toLowerCase()} `
  return title
}

/** Well-formed publications with titles as long as they may be, as fast as the links take them. */
export const publicationFlood: Attack = async (stage) => {
  const attackers = await stage.attackers()
  await Promise.all(
    attackers.map((attacker) =>
      stage.again(5, async () => {
        await attacker.linkAll(stage.network.indexNodes)
        const rounds = Array.from({ length: Math.max(1, Math.floor(UNDER_WAY / attackers.length)) }, async () => {
          const body = encodePublish(Array.from({ length: 75 }, () => publicationOf(attacker, longTitle())))
          await Promise.all(attacker.linked.map((peer) => attacker.request(peer, INDEX_METHODS.publish, body)))
        })
        await Promise.all(rounds)
      }),
    ),
  )
}

/** Thousands of torrents under the word that everybody looks for. */
export const spamTitles: Attack = async (stage) => {
  const attackers = await stage.attackers()
  await Promise.all(
    attackers.map((attacker) =>
      stage.again(200, async () => {
        await attacker.linkAll(stage.network.indexNodes)
        const count = Math.ceil(100 / attackers.length)
        const events = Array.from({ length: count }, () =>
          publicationOf(attacker, `${COMMON_WORD} ${randomBytes(4).toString('hex')}`),
        )
        await publishAt(attacker, attacker.linked, events)
      }),
    ),
  )
}

export async function publishAt(attacker: Attacker, nodes: readonly NodeId[], events: readonly SignedEvent[]): Promise<void> {
  const body = encodePublish(events)
  await Promise.all(nodes.map((peer) => attacker.request(peer, INDEX_METHODS.publish, body)))
}
