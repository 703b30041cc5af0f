import type { NodeId, Timers } from '../events/index.ts'
import type { LinkBook } from './link-book.ts'
import type { Member } from './membership/member-table.ts'
import { NamedTimers } from './named-timers.ts'

/** With fewer links for gossip than this, known members are dialled: discovery may be gone, with all bootstraps. */
const NEIGHBOURS_WANTED = 4
/** So many links with members are of this node's own choice, where there are as many: whoever fills the others chose them. */
export const OWN_CHOICE_WANTED = 4
/** Interval of the maintenance, ms, on average. */
const MAINTAIN_EVERY_MS = 2_000
const DIALS_A_TURN = 2
/** A link that was dialled for a short exchange is closed when it was not used for this long, ms. */
const TRANSIENT_IDLE_MS = 5_000

export type LinkMaintenanceOptions = {
  links: LinkBook
  timers: Timers
  /** 0 <= random() < 1 */
  random: () => number
  now: () => number
  /** All known members but ourselves. */
  members: () => readonly Member[]
  /** Members that this node was linked with before it stopped, dialled first: nobody can have placed them there since. */
  anchors: readonly NodeId[]
  /** Makes a link that stays. */
  connect: (to: NodeId) => void
  drop: (peer: NodeId) => void
}

/** Link maintenance: closes idle links that were dialled for a short exchange, and dials members when few links are left. */
export class LinkMaintenance {
  readonly #options: LinkMaintenanceOptions
  readonly #timers: NamedTimers<{ name: 'links' }>
  readonly #tried = new Set<NodeId>()

  constructor(options: LinkMaintenanceOptions) {
    this.#options = options
    this.#timers = new NamedTimers(options.timers)
  }

  start(): void {
    const { links, random, now, drop } = this.#options
    for (const booked of [...links.all()]) {
      if (booked.transient && now() - booked.usedAt > TRANSIENT_IDLE_MS) drop(booked.link.peer)
    }
    if (links.neighbourCount < NEIGHBOURS_WANTED || this.#ownChoice < OWN_CHOICE_WANTED) this.#dialMembers()
    this.#timers.set({ name: 'links' }, MAINTAIN_EVERY_MS * (0.75 + 0.5 * random()), () => this.start())
  }

  stop(): void {
    this.#timers.clear()
  }

  get #ownChoice(): number {
    let count = 0
    for (const { link, hello, neighbour } of this.#options.links.all())
      if (link.initiator && neighbour && hello !== undefined && hello.role !== 'client') count++
    return count
  }

  /** Dials known members, anchors first, then those believed alive: they are the way back when discovery finds nobody. */
  #dialMembers(): void {
    const { links, random, members, anchors, connect } = this.#options
    const unlinked = members().filter(({ id, state }) => state !== 'left' && links.get(id) === undefined)
    const alive = unlinked.filter(({ state }) => state !== 'dead')
    // Once each: one that is not there any more does not keep the others waiting.
    const first = alive.filter(({ id }) => anchors.includes(id) && !this.#tried.has(id))
    const from = first.length > 0 ? first : alive.length > 0 ? alive : unlinked
    for (let dialled = 0; dialled < DIALS_A_TURN && from.length > 0; dialled++) {
      const [member] = from.splice(Math.floor(random() * from.length), 1)
      if (member === undefined) continue
      if (anchors.includes(member.id)) this.#tried.add(member.id)
      connect(member.id)
    }
  }
}
