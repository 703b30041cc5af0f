import type { NodeId } from '../events/index.ts'
import type { LinkBook } from './link-book.ts'
import type { Member } from './membership/member-table.ts'
import type { NamedTimers } from './named-timers.ts'

/** With fewer links for gossip than this, known members are dialled: discovery may be gone, with all bootstraps. */
const NEIGHBOURS_WANTED = 4
const LOOK_EVERY_MS = 2_000
const DIALS_A_TURN = 2
const TRANSIENT_IDLE_MS = 5_000

export type LinkCareOptions = {
  links: LinkBook
  timers: NamedTimers
  /** 0 <= random() < 1 */
  random: () => number
  now: () => number
  /** All known members but ourselves. */
  members: () => readonly Member[]
  connect: (to: NodeId) => void
  drop: (peer: NodeId) => void
}

/** Looks after the links now and then: closes those dialled for a short exchange when idle, and makes some when few are left. */
export class LinkCare {
  readonly #options: LinkCareOptions

  constructor(options: LinkCareOptions) {
    this.#options = options
  }

  start(): void {
    const { links, timers, random, now, drop } = this.#options
    for (const booked of [...links.all()]) {
      if (booked.transient && now() - booked.usedAt > TRANSIENT_IDLE_MS) drop(booked.link.peer)
    }
    if (links.neighbourCount < NEIGHBOURS_WANTED) this.#dialMembers()
    timers.set('links', LOOK_EVERY_MS * (0.75 + 0.5 * random()), () => this.start())
  }

  /** Members we know, those believed alive first: they are the way back when discovery finds nobody. */
  #dialMembers(): void {
    const { links, random, members, connect } = this.#options
    const unlinked = members().filter(({ id, state }) => state !== 'left' && links.get(id) === undefined)
    const alive = unlinked.filter(({ state }) => state !== 'dead')
    const from = alive.length > 0 ? alive : unlinked
    for (let dialled = 0; dialled < DIALS_A_TURN && from.length > 0; dialled++) {
      const [member] = from.splice(Math.floor(random() * from.length), 1)
      if (member !== undefined) connect(member.id)
    }
  }
}
