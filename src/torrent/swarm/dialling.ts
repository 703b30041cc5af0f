import { UnwillingPeers } from '../unwilling-peers.ts'
import { DialList } from './dial-list.ts'
import type { Peer } from './peer.ts'

/** Connections that we open. */
const OUTBOUND_MAX = 55
/** Dials under way. */
const DIALS_MAX = 16

export type DiallingOptions = {
  now(): number
  /** The torrent takes peers, and there is room for one more over all torrents. */
  hasRoom(): boolean
  /** It is neither banned nor known to be of no use. */
  mayDial(endpoint: string): boolean
  /** Peers whose connections we opened. */
  outbound(): number
  /** `ended` follows when it is made, or failed. */
  dial(endpoint: string): void
}

/** Whom a torrent dials, and when. */
export class Dialling {
  readonly #options: DiallingOptions
  readonly #list = new DialList()
  readonly #unwilling = new UnwillingPeers()
  #underWay = 0

  constructor(options: DiallingOptions) {
    this.#options = options
  }

  /** Ahead of all others. */
  urge(endpoint: string): void {
    this.#list.urge(endpoint)
  }

  found(endpoint: string): void {
    this.#list.add(endpoint)
  }

  /** On the word of strangers. */
  told(endpoints: readonly string[]): void {
    for (const endpoint of endpoints) this.#list.addHearsay(endpoint)
  }

  /** As many as there is room for. */
  goOn(): void {
    const { hasRoom, outbound, now, mayDial, dial } = this.#options
    if (!hasRoom()) return
    const room = Math.min(OUTBOUND_MAX - this.#underWay - outbound(), DIALS_MAX - this.#underWay)
    const may = (endpoint: string) => mayDial(endpoint) && this.#unwilling.mayDial(endpoint, now())
    for (const endpoint of this.#list.next(room, now(), may)) {
      this.#underWay++
      dial(endpoint)
    }
  }

  /** @param wasUp a connection was made; `left` follows when it ends */
  ended(endpoint: string, wasUp: boolean): void {
    this.#underWay--
    if (!wasUp) this.#list.ended(endpoint, false, this.#options.now())
    this.goOn()
  }

  /** A peer that we dialled has gone. @param byUs as the torrent was closed: that says nothing of the peer */
  left(peer: Peer, byUs: boolean): void {
    const now = this.#options.now()
    const exchanged = peer.downloaded.total + peer.uploaded.total > 0
    this.#list.ended(peer.endpoint, true, now)
    if (!byUs) this.#unwilling.ended(peer.endpoint, now - peer.since, exchanged, now)
  }
}
