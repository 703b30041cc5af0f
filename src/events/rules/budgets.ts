import type { Stream } from '../model/envelope.ts'
import type { Millis, NodeId } from '../model/ids.ts'
import type { Clock } from '../model/time.ts'
import {
  addKept,
  allowance,
  CLIENT_LIMITS,
  CLIENTS_TOGETHER,
  diskBytesOf,
  type Kept,
  type Limits,
  MEMBER_LIMITS,
  OPEN_TIMES,
  RENEWALS_BEYOND,
  type SharedStream,
} from './budget-limits.ts'
import { type CommitBudget, OPEN_PARTY, type Party } from './content-rules.ts'

/**
 * Who shares a budget: all keys that one invitation admitted, and in an open network all that came without one.
 * `since`: when it was made, or the network.
 */
export type BudgetHolder = Party & { readonly since: Millis }

/** After it was used up a budget stays shut for this long: there is room for some then, and not for one after the other. */
export const SHUT_MS = 10 * 60_000
/** Authors of one shut budget that are told by name; the operator sees the first ones. */
const NAMED_MAX = 256

type Counted = { readonly author: NodeId; readonly stream: SharedStream; holder: BudgetHolder; readonly kept: Kept }
type Account = { readonly kept: Kept; shutUntil: number; readonly named: Set<NodeId> }

export type BudgetsOptions = {
  readonly clock: Clock
  /** When the network was made. */
  readonly networkSince: Millis
  holderOf(author: NodeId): BudgetHolder
  /** Bytes of the disk that all clients together may take, where that is less than `CLIENTS_TOGETHER` gives them. */
  readonly clientsDiskBytesMax?: number
  /** Once for each author while its budget is shut. */
  onOver(author: NodeId): void
}

/** What the log keeps of others, by stream: of each invitation, and of all clients together. Pure. */
export class Budgets {
  readonly #options: BudgetsOptions
  /** By holder and stream: as many as there are invitations, which only the owner makes. */
  readonly #accounts = new Map<string, Account>()
  readonly #clients: { readonly [S in SharedStream]: Account } = { gossip: newAccount(), index: newAccount() }
  /** Where what is kept of an author is counted, and how much: it moves along when the author shows another invitation. */
  readonly #authors = new Map<string, Counted>()

  constructor(options: BudgetsOptions) {
    this.#options = options
  }

  /** Counts what the log holds, or took. */
  add(author: NodeId, stream: SharedStream, { events, bytes }: Readonly<Kept>): void {
    const holder = this.#holderOf(author, stream)
    const name = authorName(author, stream)
    const counted = this.#authors.get(name) ?? { author, stream, holder, kept: { events: 0, bytes: 0 } }
    this.#authors.set(name, counted)
    addKept(counted.kept, events, bytes)
    this.#count(holder, stream, events, bytes)
  }

  /** Counts anew what the log holds, by author, after it has let some of it go. */
  recount(held: ReadonlyMap<NodeId, { readonly [S in SharedStream]: Readonly<Kept> }>): void {
    for (const [name, { author, stream, kept }] of this.#authors) {
      const now = held.get(author)?.[stream] ?? NOTHING
      if (now.events === kept.events && now.bytes === kept.bytes) continue
      this.add(author, stream, { events: now.events - kept.events, bytes: now.bytes - kept.bytes })
      if (now.events === 0) this.#authors.delete(name)
    }
  }

  /** True while nothing more of this author's stream is taken. */
  isShut(author: NodeId, stream: Stream): boolean {
    if (stream === 'local') return false
    const holder = this.#options.holderOf(author)
    const now = this.#options.clock.now()
    const account = this.#accounts.get(nameOf(holder, stream))
    const shut = [account, holder.standing === 'client' ? this.#clients[stream] : undefined].find(
      (one) => (one?.shutUntil ?? 0) > now,
    )
    if (shut === undefined) return false
    this.#name(shut, author)
    return true
  }

  /** Room for one commit: what it takes counts from when it is stored, by `add`. */
  forCommit(): CommitBudget {
    const taken = new Map<Account, Kept>()
    const fits = (account: Account, limit: Kept, bytes: number): boolean => {
      const { events: more, bytes: moreBytes } = taken.get(account) ?? NOTHING
      return account.kept.events + more < limit.events && account.kept.bytes + moreBytes + bytes <= limit.bytes
    }
    return {
      take: (author, stream, payloadBytes, isRenewal = false) => {
        if (stream === 'local') return true
        const holder = this.#holderOf(author, stream)
        const now = this.#options.clock.now()
        const { limits, times } = limitsOf(holder, stream)
        const asked = [
          { account: this.#accountOf(holder, stream), limit: allowance(limits, now - holder.since, times) },
          ...(holder.standing === 'client'
            ? [
                {
                  account: this.#clients[stream],
                  limit: allowance(CLIENTS_TOGETHER[stream], now - this.#options.networkSince, this.#clientsTimes),
                },
              ]
            : []),
        ]
        const full = asked.find(({ account, limit }) => !fits(account, isRenewal ? beyond(limit) : limit, payloadBytes))
        if (full !== undefined) {
          // Its publications had their room to themselves.
          if (isRenewal) return false
          this.#shut(full.account, now)
          this.#name(full.account, author)
          return false
        }
        for (const { account } of asked) {
          const sum = taken.get(account) ?? { events: 0, bytes: 0 }
          addKept(sum, 1, payloadBytes)
          taken.set(account, sum)
        }
        return true
      },
    }
  }

  /** What all clients together take up. */
  get clients(): { readonly [S in SharedStream]: Readonly<Kept> } {
    return { gossip: this.#clients.gossip.kept, index: this.#clients.index.kept }
  }

  #shut(account: Account, now: number): void {
    if (account.shutUntil > now) return
    account.shutUntil = now + SHUT_MS
    account.named.clear()
  }

  #name(account: Account, author: NodeId): void {
    if (account.named.has(author) || account.named.size >= NAMED_MAX) return
    account.named.add(author)
    this.#options.onOver(author)
  }

  get #clientsTimes(): number {
    return Math.min(1, (this.#options.clientsDiskBytesMax ?? Number.POSITIVE_INFINITY) / CLIENTS_DISK_BYTES_MAX)
  }

  /** Who has the budget now; what was counted for another moves there. */
  #holderOf(author: NodeId, stream: SharedStream): BudgetHolder {
    const holder = this.#options.holderOf(author)
    const counted = this.#authors.get(authorName(author, stream))
    if (counted !== undefined && counted.holder.key !== holder.key) {
      this.#count(counted.holder, stream, -counted.kept.events, -counted.kept.bytes)
      this.#count(holder, stream, counted.kept.events, counted.kept.bytes)
      counted.holder = holder
    }
    return holder
  }

  #count(holder: BudgetHolder, stream: SharedStream, events: number, bytes: number): void {
    addKept(this.#accountOf(holder, stream).kept, events, bytes)
    if (holder.standing === 'client') addKept(this.#clients[stream].kept, events, bytes)
  }

  #accountOf(holder: BudgetHolder, stream: SharedStream): Account {
    const name = nameOf(holder, stream)
    let account = this.#accounts.get(name)
    if (account === undefined) {
      account = newAccount()
      this.#accounts.set(name, account)
    }
    return account
  }
}

/** What clients take of the disk at most. */
export const CLIENTS_DISK_BYTES_MAX = diskBytesOf(CLIENTS_TOGETHER.gossip.most) + diskBytesOf(CLIENTS_TOGETHER.index.most)

/** What renewals of offers may take, which have no payload. */
const beyond = ({ events }: Kept): Kept => ({ events: events + RENEWALS_BEYOND, bytes: Number.POSITIVE_INFINITY })

const NOTHING: Readonly<Kept> = { events: 0, bytes: 0 }
const newAccount = (): Account => ({ kept: { events: 0, bytes: 0 }, shutUntil: 0, named: new Set() })
const authorName = (author: NodeId, stream: SharedStream): string => `${stream}/${author}`
const nameOf = ({ key }: BudgetHolder, stream: SharedStream): string => `${stream}/${key}`

function limitsOf({ key, standing }: BudgetHolder, stream: SharedStream): { limits: Limits; times: number } {
  if (standing === 'client') return { limits: CLIENT_LIMITS[stream], times: key === OPEN_PARTY ? OPEN_TIMES : 1 }
  return { limits: MEMBER_LIMITS[stream], times: 1 }
}
