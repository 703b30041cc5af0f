import { setTimeout as wait } from 'node:timers/promises'
import type { ClusterNode } from '../cluster/cluster.ts'
import type { HonestNetwork } from './network.ts'

const LOOK_EVERY_MS = 250

/** Looks into all honest tables again and again: who of the honest members is held to be what, and for how long. */
export class Watch {
  longestDeadMs = 0
  /** The last that was not as it should be. */
  last = ''
  #polls = 0
  #allAlive = 0
  readonly #network: HonestNetwork
  /** What restarted members have said they are since: to be known by all. */
  readonly #incarnations = new Map<ClusterNode, number>()
  readonly #deadSince = new Map<string, number>()

  constructor(network: HonestNetwork) {
    this.#network = network
  }

  /** Of the looks, 0 to 1: every honest member was alive in every honest table. */
  get share(): number {
    return this.#polls === 0 ? 1 : this.#allAlive / this.#polls
  }

  /** Counts from now on. */
  restart(): void {
    this.#polls = 0
    this.#allAlive = 0
    this.longestDeadMs = 0
    this.last = ''
    this.#deadSince.clear()
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look()
      await wait(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
    }
  }

  async look(): Promise<void> {
    for (const member of this.#network.members) {
      if (!this.#network.wasRestarted(member)) continue
      const status = await member.status()
      if (status !== undefined) this.#incarnations.set(member, status.incarnation)
    }
    const tables = await Promise.all(this.#network.nodes.map((node) => this.#lookInto(node)))
    this.#polls++
    if (tables.every((whole) => whole)) this.#allAlive++
  }

  async #lookInto(node: ClusterNode): Promise<boolean> {
    const members = await node.ask((service) => service.members())
    // Too busy for an answer: that is counted elsewhere, and says nothing of the table.
    if (members === undefined) return true
    const rows = new Map(members.map((row) => [row.id as string, row]))
    const now = performance.now()
    let whole = true
    for (const member of this.#network.members) {
      if (member === node || this.#network.isRestarting(member) || this.#network.isRestarting(node)) continue
      const row = rows.get(member.id)
      const isOld = row !== undefined && row.incarnation < (this.#incarnations.get(member) ?? 0)
      const state = isOld ? 'as before its restart' : (row?.state ?? 'unknown')
      const key = `${node.index} ${member.index}`
      if (state === 'dead' || state === 'left') {
        const since = this.#deadSince.get(key) ?? now
        this.#deadSince.set(key, since)
        this.longestDeadMs = Math.max(this.longestDeadMs, now - since)
      } else this.#deadSince.delete(key)
      if (state === 'alive') continue
      whole = false
      this.last = `${node.role} ${node.index} has ${member.role} ${member.index} ${state}`
    }
    return whole
  }
}
