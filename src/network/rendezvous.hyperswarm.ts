import type HyperDHT from 'hyperdht'
import type Hyperswarm from 'hyperswarm'
import { isDialable, type Timers } from '../events/index.ts'
import type { Endpoint } from './transport.ts'
import { dialableIpv4Of } from './udp-port.hyperswarm.ts'

/** A first answer is worth waiting for, and a node that starts together with its bootstraps needs several tries. */
const PROBE_EVERY_MS = 250
const PROBE_FOR_MS = 1_250

/** A bootstrap may be the first of its network: it does not wait for others to start, and looks again soon. */
const PROBE_FIRST_BY_BOOTSTRAP_MS = 400

/** After the first bootstrap has answered, the others have this long to be in the list too. */
const GRACE_MS = 100

const REFRESH_FIRST_MS = 500
const REFRESH_GROWTH = 1.5
const REFRESH_SHORT_MAX_MS = 10_000
const REFRESH_STEADY_MS = 30_000

/** Bootstraps look for one another quickly at first: nodes that start now need them to know each other. */
const BOOTSTRAP_FIRST_MS = 500
const BOOTSTRAP_STEADY_MS = 10_000

/** A look-up in a network whose nodes have just died can take longer than anybody should wait for it. */
const LOOKUP_MS_MAX = 5_000

/** A notice about a dead bootstrap is repeated at every doubling of its failures, not at each. */
/** Rounds in which bootstraps answered and nobody was found, before that is told: half a minute. */
export const FRUITLESS_TOLD = 8

const isPowerOfTwo = (count: number): boolean => (count & (count - 1)) === 0

export type RendezvousOptions = {
  dht: HyperDHT
  swarm: Hyperswarm
  timers: Timers
  /** undefined: answer look-ups and dials, but look for nobody */
  topic: Uint8Array | undefined
  /** Given by the operator; host names are looked up again at each try. */
  bootstrap: readonly Endpoint[]
  /** Our own endpoint if we are a bootstrap: what we announce must be stored even while we are the only one. */
  own: Endpoint | undefined
  /** DHT nodes of an earlier run, asked while we know no others. */
  persistedNodes: readonly Endpoint[]
  /** Called when no bootstrap answers and links are short: the caller dials servers it knows. */
  onAlone: () => void
  isShort: () => boolean
  hasLinks: () => boolean
  onNotice: (text: string) => void
}

/**
 * Finds the others, and goes on finding them: asks the bootstraps who is alive, looks up and announces the topic
 * with the live ones only, and comes back sooner while links are short. A dead entry left in the bootstrap list
 * costs every look-up about 6 s, so the list of the DHT never holds one that did not just answer.
 */
export class Rendezvous {
  readonly #options: RendezvousOptions
  readonly #failures = new Map<string, number>()
  #session: Hyperswarm.Session | undefined
  #cancelTimer: (() => void) | undefined
  #delayMs: number
  #running: Promise<void> | undefined
  #hurried = false
  /** Rounds in a row in which bootstraps answered and nobody was found. */
  #fruitless = 0
  /** Names of the bootstraps that answered last. */
  #live = ''
  #stopped = false

  constructor(options: RendezvousOptions) {
    this.#options = options
    this.#delayMs = options.own === undefined ? REFRESH_FIRST_MS : BOOTSTRAP_FIRST_MS
  }

  /** The first round: resolves when we are announced, or when it is clear that nobody answers for now. Then goes on by itself. */
  async start(): Promise<void> {
    await this.#round(this.#options.own === undefined ? PROBE_FOR_MS : PROBE_FIRST_BY_BOOTSTRAP_MS)
    this.#schedule()
  }

  /** A link was lost: the next round comes soon if links are short. */
  hurry(): void {
    if (this.#stopped || this.#hurried || this.#delayMs <= REFRESH_FIRST_MS || !this.#options.isShort()) return
    // Once a round: links that come and go quickly must not put the next round off for ever.
    this.#hurried = true
    this.#delayMs = REFRESH_FIRST_MS
    if (this.#running === undefined) this.#schedule()
  }

  stop(): void {
    this.#stopped = true
    this.#cancelTimer?.()
  }

  #schedule(): void {
    this.#cancelTimer?.()
    if (this.#stopped) return
    const delayMs = this.#nextDelayMs()
    this.#cancelTimer = this.#options.timers.after(delayMs, () => {
      this.#running = this.#round(PROBE_FOR_MS)
        .catch((error: unknown) => this.#options.onNotice(`looking for nodes failed: ${String(error)}`))
        .then(() => {
          this.#running = undefined
          this.#hurried = false
          this.#schedule()
        })
    })
  }

  #nextDelayMs(): number {
    const { own, isShort } = this.#options
    const delayMs = this.#delayMs
    const missing = this.#failures.size > 0
    if (own !== undefined) {
      this.#delayMs = Math.min(delayMs * REFRESH_GROWTH, BOOTSTRAP_STEADY_MS)
      return missing || isShort() ? delayMs : BOOTSTRAP_STEADY_MS
    }
    if (!isShort()) return REFRESH_STEADY_MS
    this.#delayMs = Math.min(delayMs * REFRESH_GROWTH, REFRESH_SHORT_MAX_MS)
    return delayMs
  }

  async #round(probeForMs: number): Promise<void> {
    const { dht, own, bootstrap, persistedNodes, isShort, onAlone } = this.#options
    // Nodes of an earlier run are asked beside the bootstraps; an answer puts a node into the routing table by itself.
    if (!this.#hasNodes()) for (const node of persistedNodes) dht.ping(node, { retry: false }).catch(() => {})
    const live = await this.#probe(own === undefined ? bootstrap : [own, ...bootstrap], probeForMs)
    if (this.#stopped) return
    dht.bootstrapNodes = live
    const reachable = live.length > 0 || this.#hasNodes()
    await this.#listen(live)
    if (reachable) await this.#lookUp()
    this.#tellFruitless(live.map(nameOf))
    const isAlone = live.every((node) => own !== undefined && nameOf(node) === nameOf(own))
    if (!this.#stopped && isAlone && isShort()) onAlone()
  }

  /** Bootstraps of another network answer as well: the DHT is one and the same to them. */
  #tellFruitless(answered: readonly string[]): void {
    const { own, hasLinks, onNotice } = this.#options
    this.#fruitless = own !== undefined || answered.length === 0 || hasLinks() ? 0 : this.#fruitless + 1
    if (this.#fruitless < FRUITLESS_TOLD || !isPowerOfTwo(this.#fruitless)) return
    const [bootstraps, they] = answered.length === 1 ? ['bootstrap', 'it is'] : ['bootstraps', 'they are']
    onNotice(
      `the ${bootstraps} ${answered.join(', ')} answered, but no node of this network was found: see whether ${they} of this network (\`p2pt network show\` there), and name others with --bootstrap HOST:PORT`,
    )
  }

  #hasNodes(): boolean {
    return this.#options.dht.toArray({ limit: 1 }).length > 0
  }

  /** Being reachable by key needs somebody to relay the first message: say where we are again when there is somebody new. */
  async #listen(live: readonly Endpoint[]): Promise<void> {
    const { swarm, timers } = this.#options
    const names = live.map(nameOf).sort().join()
    const changed = names !== this.#live
    this.#live = names
    await within(swarm.listen(), LOOKUP_MS_MAX, timers)
    if (changed && names !== '') swarm.server.refresh()
  }

  async #lookUp(): Promise<void> {
    const { swarm, topic, timers } = this.#options
    if (topic === undefined || this.#stopped) return
    this.#session ??= swarm.join(Buffer.from(topic), { server: true, client: true })
    // Joining has begun a look-up already; a refresh then only waits for that one.
    await within(this.#session.refresh({ server: true, client: true }), LOOKUP_MS_MAX, timers)
  }

  /** The bootstraps that answer as full members of the DHT, in the order given. */
  async #probe(targets: readonly Endpoint[], probeForMs: number): Promise<Endpoint[]> {
    const { timers, own } = this.#options
    const live = new Map<string, Endpoint>()
    let pending = targets.length
    let settle = (): void => {}
    const settled = new Promise<void>((resolve) => {
      settle = resolve
    })
    const others = targets.filter((target) => target !== own).length
    let cancelGrace: (() => void) | undefined
    for (const target of targets) {
      void this.#ask(target, probeForMs).then((answer) => {
        pending--
        if (answer === undefined) this.#failed(target, own)
        else {
          this.#failures.delete(nameOf(target))
          live.set(nameOf(answer), answer)
          // Our own answer says nothing of the network: wait for another's, if there are others.
          const decisive = target !== own || others === 0
          if (decisive) cancelGrace ??= timers.after(GRACE_MS, settle)
        }
        if (pending === 0) settle()
      })
    }
    if (pending === 0) settle()
    await settled
    cancelGrace?.()
    return [...live.values()]
  }

  /** Asks one bootstrap several times, without waiting for an answer in between: the first datagrams may meet a closed port. */
  async #ask(target: Endpoint, forMs: number): Promise<Endpoint | undefined> {
    const { dht, timers } = this.#options
    let host: string
    try {
      host = await dialableIpv4Of(target.host)
    } catch {
      return undefined
    }
    const address = { host, port: target.port }
    if (!isDialable(address)) return undefined
    return new Promise((resolve) => {
      const cancels: (() => void)[] = []
      const finish = (answer: Endpoint | undefined): void => {
        for (const cancel of cancels) cancel()
        resolve(answer)
      }
      const ping = (): void => {
        if (this.#stopped || dht.destroyed) {
          finish(undefined)
          return
        }
        dht.ping(address, { retry: false }).then(
          // Without an id it is a passing client, or a bootstrap that is not ready.
          ({ from }) => (from.id === null ? undefined : finish(address)),
          () => {},
        )
      }
      for (let afterMs = PROBE_EVERY_MS; afterMs < forMs; afterMs += PROBE_EVERY_MS) cancels.push(timers.after(afterMs, ping))
      cancels.push(timers.after(forMs, () => finish(undefined)))
      ping()
    })
  }

  #failed(target: Endpoint, own: Endpoint | undefined): void {
    if (target === own || this.#stopped) return
    const name = nameOf(target)
    const failures = (this.#failures.get(name) ?? 0) + 1
    this.#failures.set(name, failures)
    const seconds = Math.max(1, Math.round(this.#delayMs / 1000))
    if (isPowerOfTwo(failures)) this.#options.onNotice(`bootstrap ${name} does not answer; trying again in ${seconds} s`)
  }
}

const nameOf = ({ host, port }: Endpoint): string => `${host}:${port}`

/** Waits for `work` no longer than `ms`; a failure counts as done, since every round comes again. */
export async function within(work: Promise<unknown>, ms: number, timers: Timers): Promise<void> {
  let cancel = (): void => {}
  const timeout = new Promise<void>((resolve) => {
    cancel = timers.after(ms, resolve)
  })
  await Promise.race([work.catch(() => {}), timeout])
  cancel()
}
