import { eventOf, type SignedEvent, scanBody } from '../../../src/events/index.ts'
import { decodeSearchReply, encodeSearch, INDEX_METHODS } from '../../../src/roles/index-node/index-messages.ts'
import type { Attacker } from '../attacker.ts'
import type { Attack } from '../stage.ts'
import { COMMON_WORD } from '../work.ts'
import { publishAt } from './publications.ts'

/** The title of the description that proves a hit. */
function titleIn([description]: readonly SignedEvent[]): string {
  if (description === undefined) return ''
  const event = eventOf(scanBody(description.body), (_kind, _version, payload) => payload)
  return event.kind === 'torrent.published' ? event.title : ''
}

const FALSE_TITLE = `${COMMON_WORD} improved`

/** What is published is described once more by every key: falsely, and with the stamp that says when. */
const falseDescriptions =
  (stampOf: (attacker: Attacker) => number): Attack =>
  async (stage) => {
    const attackers = await stage.attackers()
    const described = new Set<string>()
    await stage.again(200, async () => {
      for (const attacker of attackers) {
        await attacker.linkAll(stage.network.indexNodes)
        const [asked] = attacker.linked
        if (asked === undefined) continue
        const query = encodeSearch({ text: COMMON_WORD, limit: 20, cursor: '', hops: 0 })
        const reply = await attacker.request(asked, INDEX_METHODS.search, query)
        const hits = reply === undefined ? [] : decodeSearchReply(reply).hits
        const events = hits
          .filter(({ infoHash }) => !described.has(`${attacker.id} ${infoHash}`))
          .map(({ infoHash, proof }) => {
            const title = titleIn(proof)
            described.add(`${attacker.id} ${infoHash}`)
            // The publisher's own word stays in it, so that whoever looks for it finds this.
            const kept = title.split(' ').at(-1) ?? ''
            return attacker.event(
              {
                ...{ kind: 'torrent.published', infoHash, title: `${FALSE_TITLE} ${kept}` },
                ...{ sizeBytes: 1, fileCount: 9, tags: ['free'] },
              },
              { stream: 'index', lamport: stampOf(attacker) },
            )
          })
        if (events.length > 0) await publishAt(attacker, attacker.linked, events)
      }
    })
  }

/** As if it had been there first. */
export const firstDescriptions = falseDescriptions(() => 1)

/** Later than the publisher, and more of them. */
export const moreDescriptions = falseDescriptions((attacker) => attacker.lamport + 1)
