import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectNode, type RemoteNode } from '../../src/control/index.ts'
import type { NodeRole } from '../../src/events/index.ts'
import type { MemberRow, NodeService, NodeStatus } from '../../src/roles/index.ts'
import type { Hosts } from './hosts.ts'

const PROGRAM = join(import.meta.dirname, '../../bin/run.js')
const LOOK_EVERY_MS = 400
const OUTPUT_MAX = 4_000
/** USER_HZ, which Linux has at 100 whatever its kernel's own is. */
const CLOCK_TICKS_A_SECOND = 100

/** One node as a process of its own, on a host of its own. */
export class ClusterNode {
  readonly index: number
  readonly role: NodeRole
  readonly directory: string
  readonly #argv: readonly string[]
  #child: ChildProcess | undefined
  #output = ''
  #id: string | undefined

  constructor(index: number, role: NodeRole, directory: string, argv: readonly string[]) {
    this.index = index
    this.role = role
    this.directory = directory
    this.#argv = argv
  }

  get runs(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Its key; known after it was asked once. */
  get id(): string {
    assert.ok(this.#id, `node ${this.index} was never reached`)
    return this.#id
  }

  start(): void {
    const [command = '', ...rest] = this.#argv
    const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
    const keep = (text: Buffer) => {
      this.#output = (this.#output + text).slice(-OUTPUT_MAX)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    this.#child = child
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child === undefined || !this.runs) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }

  ask<T>(question: (node: NodeService) => Promise<T>): Promise<T | undefined> {
    return this.askAll(({ node }) => question(node))
  }

  /** Undefined if it does not answer, or answers with an error. */
  async askAll<T>(question: (node: RemoteNode) => Promise<T>): Promise<T | undefined> {
    try {
      return await question(await connectNode(this.directory, { answerMsMax: 5_000 }))
    } catch {
      return undefined
    }
  }

  async status(): Promise<NodeStatus | undefined> {
    const status = await this.ask((node) => node.status())
    this.#id ??= status?.id
    return status
  }

  async members(): Promise<readonly MemberRow[]> {
    return (await this.ask((node) => node.members())) ?? []
  }

  /** Names of the gossiped events in its log. */
  async gossiped(): Promise<ReadonlySet<string>> {
    const names = new Set<string>()
    await this.ask(async (node) => {
      for await (const { stream, author, authorSeq } of node.events({}))
        if (stream === 'gossip') names.add(`${author} ${authorSeq}`)
    })
    return names
  }

  /** Resident memory, bytes; 0 of one that is ending. */
  get memoryBytes(): number {
    const status = readFileSync(`/proc/${this.#child?.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1_024
  }

  /** Of it what is its own, bytes: files that are mapped are the system's. 0 of one that does not run. */
  get privateMemoryBytes(): number {
    try {
      const status = readFileSync(`/proc/${this.#child?.pid}/status`, 'utf8')
      return Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1_024
    } catch {
      return 0
    }
  }

  /** Processor time that it has used, all threads. */
  get cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#child?.pid}/stat`, 'utf8')
    // Behind the name, which may hold spaces: state is field 3, utime 14, stime 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_A_SECOND
  }

  /** Sockets, files and pipes that it has open. */
  get openFiles(): number {
    return readdirSync(`/proc/${this.#child?.pid}/fd`).length
  }

  get lastWords(): string {
    return `node ${this.index} (${this.role}): ${this.#output}`
  }
}

export type Plan = {
  readonly bootstraps: number
  readonly clients: number
  /** Further ones of the start of each client, from 0. */
  clientFlags?(client: number): readonly string[]
}

/** Nodes on hosts: the first are bootstraps, the last clients, the others index nodes. */
export class Cluster {
  readonly hosts: Hosts
  readonly nodes: readonly ClusterNode[]
  readonly bootstrapAddresses: readonly string[]
  readonly #directory = mkdtempSync(join(tmpdir(), 'p2pt-cluster-'))

  constructor(hosts: Hosts, { bootstraps, clients, clientFlags = () => [] }: Plan) {
    this.hosts = hosts
    this.bootstrapAddresses = Array.from({ length: bootstraps }, (_, at) => `${hosts.address(at)}:${hosts.port(at)}`)
    this.nodes = Array.from({ length: hosts.count }, (_, index) => {
      const role = index < bootstraps ? 'bootstrap' : index >= hosts.count - clients ? 'client' : 'index'
      const directory = join(this.#directory, `n${index + 1}`)
      const where = ['--host', hosts.address(index), '--port', String(hosts.port(index))]
      const entry = this.bootstrapAddresses.flatMap((address) => ['--bootstrap', address])
      const network = ['--network', this.ownerFolder]
      const words = [process.execPath, PROGRAM, role, 'start', '--json', '--data', directory, ...network, ...where, ...entry]
      if (role === 'client') words.push(...clientFlags(index - (hosts.count - clients)))
      return new ClusterNode(index, role, directory, [...hosts.prefix(index), ...words])
    })
  }

  get running(): readonly ClusterNode[] {
    return this.nodes.filter(({ runs }) => runs)
  }

  at(index: number): ClusterNode {
    const node = this.nodes[index]
    assert.ok(node)
    return node
  }

  startAll(): void {
    for (const node of this.nodes) node.start()
  }

  /** Starts all, so many at a time: the next when those before answer. Starting many at once keeps a small machine busy. */
  async startInGroups(size: number): Promise<void> {
    for (let from = 0; from < this.nodes.length; from += size) {
      const group = this.nodes.slice(from, from + size)
      for (const node of group) node.start()
      await this.within(60, 'a group answers', async () => {
        const statuses = await Promise.all(group.map((node) => node.status()))
        return group.filter((_, at) => statuses[at] === undefined).map(({ index }) => `${index} does not answer`)
      })
    }
  }

  /** Looks until the condition holds. @returns the ms it took @throws AssertionError with what was missing last */
  async within(seconds: number, what: string, missing: () => Promise<readonly string[]>): Promise<number> {
    const from = performance.now()
    for (;;) {
      const lacking = await missing()
      const took = performance.now() - from
      if (lacking.length === 0) return took
      assert.ok(took < seconds * 1_000, `${what}: not within ${seconds} s: ${lacking.slice(0, 6).join('; ')}`)
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
  }

  /** Every running node is linked, and believes every running member alive. */
  allAliveWithin(seconds: number): Promise<number> {
    return this.within(seconds, 'all linked, all alive in all tables', async () => {
      const statuses = await Promise.all(this.running.map((node) => node.status()))
      const missing = this.running
        .filter((_, at) => (statuses[at]?.links ?? 0) === 0)
        .map(({ index }) => `${index} has no link`)
      if (missing.length > 0) return missing
      const members = this.running.filter(({ role }) => role !== 'client')
      const tables = await this.tables()
      return tables.flatMap(({ node, states }) =>
        members
          .filter(({ id }) => states.get(id) !== 'alive')
          .map(({ id, index }) => `${node.index} has ${index} ${states.get(id)}`),
      )
    })
  }

  believedWithin(subject: ClusterNode, state: string, seconds: number): Promise<number> {
    return this.within(seconds, `node ${subject.index} ${state} in every table`, async () => {
      const tables = await this.tables()
      return tables
        .filter(({ node, states }) => node !== subject && states.get(subject.id) !== state)
        .map(({ node, states }) => `${node.index} has it ${states.get(subject.id)}`)
    })
  }

  async tables(): Promise<{ node: ClusterNode; states: Map<string, string> }[]> {
    return Promise.all(
      this.running.map(async (node) => ({
        node,
        states: new Map((await node.members()).map(({ id, state }) => [id as string, state as string])),
      })),
    )
  }

  /** Every running node's log holds the same gossiped events. */
  sameEventsWithin(seconds: number): Promise<number> {
    return this.within(seconds, 'the same gossiped events in all logs', async () => {
      const logs = await Promise.all(this.running.map(async (node) => ({ node, names: await node.gossiped() })))
      const union = new Set(logs.flatMap(({ names }) => [...names]))
      return logs
        .filter(({ names }) => names.size < union.size)
        .map(({ node, names }) => `${node.index} lacks ${union.size - names.size}`)
    })
  }

  /** The folder of the network's owner, which all nodes share. */
  get ownerFolder(): string {
    return join(this.#directory, 'network')
  }

  /** Ends every process and removes what they wrote. */
  async end(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()))
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
