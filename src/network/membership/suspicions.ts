import type { NodeId } from '../../events/index.ts'
import type { Member, MemberEvent, MemberTable } from './member-table.ts'
import type { MembershipEffect } from './membership-protocol.ts'
import type { ProbeList } from './probe-list.ts'
import { CONFIRMATIONS_EXPECTED, suspicionMs } from './suspicion.ts'

/** Members that check a new suspicion at once, on average: enough for the confirmations, no herd at a thousand. */
const CHECKERS_WANTED = 8
/** Interval between tries of a suspect whose time is over, but whom we did not try yet, ms. */
const SUSPECT_AGAIN_MS = 2_000
/** Each accuser leaves this much time to those before it, ms, so that one of them declares the death and not all. */
const DECLARE_STEP_MS = 700

type Suspicion = {
  readonly incarnation: number
  readonly startedAt: number
  readonly accusers: NodeId[]
  /** We have appended, or are appending, `member.suspect`, and `member.dead`. */
  accused: boolean
  declared: boolean
  /** When our last probe of it failed; undefined if it has answered since. */
  failedAt: number | undefined
}

export type SuspicionsOptions = {
  self: NodeId
  /** False for a client, which accuses nobody. */
  isMember: boolean
  table: MemberTable
  list: ProbeList
  probeEveryMs: number
  /** 0 <= random() < 1 */
  random: () => number
}

/** Members that somebody, or we, had no answer from: who says so, and when it counts as a death. */
export class Suspicions {
  readonly #options: SuspicionsOptions
  /** Of members of the table only, so it is as bounded as that is. */
  readonly #suspicions = new Map<NodeId, Suspicion>()

  constructor(options: SuspicionsOptions) {
    this.#options = options
  }

  /** The member is believed alive, dead or gone. */
  end(id: NodeId): void {
    this.#suspicions.delete(id)
  }

  /** The member answered us. */
  answered(id: NodeId): void {
    const suspicion = this.#suspicions.get(id)
    if (suspicion !== undefined) suspicion.failedAt = undefined
  }

  /** Somebody suspects a member, and the table believes it. */
  heard(author: NodeId, event: MemberEvent, now: number): MembershipEffect[] {
    const { table, list, isMember, random } = this.#options
    const member = table.get(event.subject)
    if (member?.state !== 'suspect' || member.incarnation !== event.incarnation || !isMember) return []
    let suspicion = this.#suspicions.get(member.id)
    const isNew = suspicion === undefined || suspicion.incarnation !== event.incarnation
    if (suspicion === undefined || suspicion.incarnation !== event.incarnation) {
      suspicion = this.#begin(member.id, event.incarnation, now)
    }
    if (!suspicion.accusers.includes(author) && suspicion.accusers.length <= CONFIRMATIONS_EXPECTED)
      suspicion.accusers.push(author)
    const size = list.size(table) + 1
    if (isNew && random() < CHECKERS_WANTED / size) list.next(member.id)
    return [suspectWake(member.id, Math.max(0, this.#deadline(suspicion, size) - now))]
  }

  /** Our probes of the member failed, twice if it was believed alive: we say so, unless enough others did. */
  probeFailed(member: Member, now: number): MembershipEffect[] {
    const known = this.#suspicions.get(member.id)
    const suspicion = known?.incarnation === member.incarnation ? known : this.#begin(member.id, member.incarnation, now)
    suspicion.failedAt = now
    return this.#accuse(suspicion, member)
  }

  /** The time of a suspicion is over. */
  timeIsOver(id: NodeId): MembershipEffect[] {
    const { table, list } = this.#options
    const member = table.get(id)
    const suspicion = this.#suspicions.get(id)
    if (member?.state !== 'suspect' || suspicion === undefined) return []
    // Only who tried in vain itself may declare a death; the others try, in case all who did are gone. Of what the member has
    // refuted since, the accusation that follows may have come first: that was not tried.
    if (suspicion.failedAt === undefined || suspicion.incarnation !== member.incarnation) {
      list.next(id)
      return [suspectWake(id, SUSPECT_AGAIN_MS)]
    }
    // Once: whether our word alone counts is for the others to find out.
    if (suspicion.declared) return []
    suspicion.declared = true
    return [accusation('member.dead', member)]
  }

  /** What we said of the member was not stored, and some time has passed: say it now, if it is still what we found. */
  sayAgain(id: NodeId): MembershipEffect[] {
    const member = this.#options.table.get(id)
    const suspicion = this.#suspicions.get(id)
    if (member === undefined || suspicion?.incarnation !== member.incarnation) return []
    const { declared } = suspicion
    suspicion.accused = false
    suspicion.declared = false
    if (declared) return this.timeIsOver(id)
    return member.state === 'alive' && suspicion.failedAt !== undefined ? this.#accuse(suspicion, member) : []
  }

  #accuse(suspicion: Suspicion, member: Member): MembershipEffect[] {
    if (suspicion.accused || suspicion.accusers.length > CONFIRMATIONS_EXPECTED) return []
    suspicion.accused = true
    return [accusation('member.suspect', member)]
  }

  #begin(id: NodeId, incarnation: number, now: number): Suspicion {
    const said = { accusers: [], accused: false, declared: false }
    const suspicion: Suspicion = { incarnation, startedAt: now, ...said, failedAt: undefined }
    this.#suspicions.set(id, suspicion)
    return suspicion
  }

  #deadline(suspicion: Suspicion, size: number): number {
    const turn = suspicion.accusers.indexOf(this.#options.self)
    const waitMs = (turn < 0 ? suspicion.accusers.length : turn) * DECLARE_STEP_MS
    const lastsMs = suspicionMs(size, suspicion.accusers.length - 1, this.#options.probeEveryMs)
    return suspicion.startedAt + lastsMs + waitMs
  }
}

const suspectWake = (of: NodeId, afterMs: number): MembershipEffect => ({
  do: 'wake',
  afterMs,
  timer: { name: 'suspect', of },
})

function accusation(kind: 'member.suspect' | 'member.dead', { id, incarnation, role, address }: Member): MembershipEffect {
  return { do: 'append', event: { kind, subject: id, incarnation, role, ...address } }
}
