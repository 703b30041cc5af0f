import type { EventLog, NodeId } from '../../events/index.ts'
import type { Overlay } from '../../network/index.ts'
import { OWNER_COUNT, PARTITION_COUNT } from '../../projections/keyword-index/index.ts'
import type { IndexMap } from './index-map.ts'
import {
  decodeCompareReply,
  decodePublishReply,
  type EventName,
  encodeCompare,
  encodePublish,
  fitting,
  INDEX_METHODS,
  SECTIONS_MAX,
  type SectionContent,
  type SectionDigest,
} from './index-messages.ts'
import { childrenOf, type PartitionSections, SECTION_DEPTH_MAX, type Section } from './partition-sections.ts'
import { signedIndexEvents } from './signed-events.ts'

/** A node that is told to stop takes so long at most for this, ms: what is left its heirs fetch from one another. */
export const HAND_OVER_MS_MAX = 3_000
const REQUEST_TIMEOUT_MS = 1_500
/** Heirs that are dealt with at once. */
const HEIRS_AT_ONCE = 4
/** Events read for one message; 56 KiB hold about 250 with short titles. */
const READ_AT_ONCE = 256
/** Partitions or digests in one turn. */
const IN_A_TURN = 8

export type HandOverOptions = {
  log: Pick<EventLog, 'seqOf' | 'readSignedAt'>
  overlay: Pick<Overlay, 'self' | 'request' | 'status'>
  map: Pick<IndexMap, 'rankedOwners' | 'indexNodes'>
  sections: PartitionSections
  /** Lets everything else have its turn. */
  yieldToEventLoop(): Promise<void>
  /** ms. */
  now(): number
}

/** `entries`: events that others hold by now and did not before; `unfinished`: index nodes that may lack something still. */
export type HandedOver = { entries: number; nodes: number; unfinished: number }

/**
 * Gives those who own this node's partitions once it has left what they lack: first the other owners what this node alone has,
 * then the next in line everything, as far as the time goes. Never rejects.
 */
export async function handOver(options: HandOverOptions): Promise<HandedOver> {
  const until = options.now() + HAND_OVER_MS_MAX
  const done = { entries: 0, nodes: 0, unfinished: 0 }
  // Where no index node is linked, the network is gone, or this node is: nobody is waited for.
  const linked = new Set(options.overlay.status().links.map(({ peer }) => peer))
  if (!options.map.indexNodes().some((id) => linked.has(id))) return done
  for (const ranks of ['owners', 'next'] as const) {
    const heirs = [...(await heirsOf(ranks, options))]
    await Promise.all(
      Array.from({ length: HEIRS_AT_ONCE }, async () => {
        for (let heir = heirs.shift(); heir !== undefined; heir = heirs.shift()) {
          const { entries, isAll } = await give(heir[0], heir[1], until, options)
          done.entries += entries
          if (entries > 0) done.nodes += 1
          if (!isAll) done.unfinished += 1
        }
      }),
    )
  }
  return done
}

/** The partitions that each other node owns already, or will own once this one has left. */
async function heirsOf(
  ranks: 'owners' | 'next',
  { map, overlay, yieldToEventLoop }: HandOverOptions,
): Promise<Map<NodeId, number[]>> {
  const heirs = new Map<NodeId, number[]>()
  for (let partition = 0; partition < PARTITION_COUNT; partition++) {
    if (partition % IN_A_TURN === 0) await yieldToEventLoop()
    const ranked = map.rankedOwners(partition, OWNER_COUNT + 1)
    const place = ranked.indexOf(overlay.self)
    if (place < 0 || place >= OWNER_COUNT) continue
    const owners = ranked.slice(0, OWNER_COUNT).filter((id) => id !== overlay.self)
    for (const id of ranks === 'owners' ? owners : ranked.slice(OWNER_COUNT))
      heirs.set(id, [...(heirs.get(id) ?? []), partition])
  }
  return heirs
}

async function give(
  heir: NodeId,
  partitions: readonly number[],
  until: number,
  options: HandOverOptions,
): Promise<{ entries: number; isAll: boolean }> {
  const { overlay, now, sections } = options
  let entries = 0
  const request = (method: string, body: Uint8Array) =>
    overlay.request(heir, method, body, { timeoutMs: Math.max(1, Math.min(REQUEST_TIMEOUT_MS, until - now())) })
  try {
    let queue: Section[] = partitions.map((partition) => ({ partition, depth: 0, prefix: 0 }))
    while (queue.length > 0) {
      if (now() >= until) return { entries, isAll: false }
      const sent = await digestsOf(queue.slice(0, SECTIONS_MAX), options)
      const { differing, compared } = decodeCompareReply(await request(INDEX_METHODS.compare, encodeCompare(sent)))
      if (compared === 0) return { entries, isAll: false }
      const asked = sent.slice(0, compared)
      const content = new Map(differing.map((one) => [nameOf(one), one]))
      const parts: Section[] = []
      for (const section of asked) {
        const theirs = content.get(nameOf(section))
        if (theirs === undefined) continue
        if (theirs.split && section.depth < SECTION_DEPTH_MAX) parts.push(...childrenOf(section))
        else {
          const given = await giveEvents(lackedBy(theirs, await sections.events(section)), request, until, options)
          entries += given.stored
          if (!given.isAll) return { entries, isAll: false }
        }
      }
      queue = [...parts, ...queue.slice(asked.length)]
    }
    return { entries, isAll: true }
  } catch {
    // It is not there any more, or this node's links are not.
    return { entries, isAll: false }
  }
}

async function giveEvents(
  names: readonly EventName[],
  request: (method: string, body: Uint8Array) => Promise<Uint8Array>,
  until: number,
  { log, now }: HandOverOptions,
): Promise<{ stored: number; isAll: boolean }> {
  let stored = 0
  for (let at = 0; at < names.length; ) {
    if (now() >= until) return { stored, isAll: false }
    const batch = names.slice(at, at + READ_AT_ONCE)
    const events = await signedIndexEvents(log, batch)
    const sent = fitting(events)
    if (sent.length > 0) {
      const outcomes = decodePublishReply(await request(INDEX_METHODS.publish, encodePublish(sent)))
      stored += outcomes.filter((outcome) => outcome === 'stored').length
    }
    // What did not fit is next; what is not in the log any more is no longer to be given.
    at += events.length === sent.length ? batch.length : Math.max(1, sent.length)
  }
  return { stored, isAll: true }
}

async function digestsOf(
  wanted: readonly Section[],
  { sections, yieldToEventLoop }: HandOverOptions,
): Promise<SectionDigest[]> {
  const digests: SectionDigest[] = []
  for (const section of wanted) {
    if (digests.length % IN_A_TURN === 0) await yieldToEventLoop()
    digests.push({ ...section, digest: await sections.digest(section) })
  }
  return digests
}

function lackedBy({ events }: SectionContent, held: readonly EventName[]): EventName[] {
  const theirs = new Set(events.map(({ author, authorSeq }) => `${author}/${authorSeq}`))
  return held.filter(({ author, authorSeq }) => !theirs.has(`${author}/${authorSeq}`))
}

const nameOf = ({ partition, depth, prefix }: Section): string => `${partition}/${depth}/${prefix}`
