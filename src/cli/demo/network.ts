import { join } from 'node:path'
import type { NodeRole } from '../../events/index.ts'
import { freeNodePort } from './free-ports.ts'
import { NodeProcess, type NodeProcessOptions } from './node-process.ts'

export type Plan = { bootstraps: number; indexes: number; clients: number }

/** Nodes on loopback, each a process with a data directory of its own under one folder. */
export class LocalNetwork {
  readonly directory: string
  readonly nodes = new Map<string, NodeProcess>()
  bootstrap: string[] = []
  readonly #onProcess: NodeProcessOptions['onProcess']
  readonly #over = new AbortController()

  /** @param onProcess told of each process that runs */
  constructor(directory: string, onProcess?: NodeProcessOptions['onProcess']) {
    this.directory = directory
    this.#onProcess = onProcess
  }

  /** Where the first node that starts makes the network of all. */
  get ownerFolder(): string {
    return join(this.directory, '..', 'network')
  }

  /** Chooses ports and starts everything; the bootstraps first, the rest at the same moment. */
  async start(
    plan: Plan,
    flagsOf: (name: string) => readonly string[],
    onReady: (ready: number, total: number) => void,
  ): Promise<void> {
    const total = plan.bootstraps + plan.indexes + plan.clients
    let ready = 0
    const bootstrapPorts: number[] = []
    for (let count = 0; count < plan.bootstraps; count++) bootstrapPorts.push(await freeNodePort())
    this.bootstrap = bootstrapPorts.map((port) => `127.0.0.1:${port}`)
    const launch = async (name: string, role: NodeRole, port: number) => {
      const bootstrap = this.bootstrap.filter((address) => address !== `127.0.0.1:${port}`)
      const node = new NodeProcess({
        name,
        role,
        dataDirectory: join(this.directory, name),
        port,
        bootstrap,
        network: this.ownerFolder,
        flags: flagsOf(name),
        signal: this.#over.signal,
        ...(this.#onProcess === undefined ? {} : { onProcess: this.#onProcess }),
      })
      this.nodes.set(name, node)
      await node.start()
      onReady(++ready, total)
    }
    await Promise.all(bootstrapPorts.map((port, index) => launch(`bootstrap${index + 1}`, 'bootstrap', port)))
    // The system gives them a port as they bind it: one that was found to be free may be taken by then.
    const rest: [name: string, role: NodeRole, port: number][] = []
    for (let index = 1; index <= plan.indexes; index++) rest.push([`index${index}`, 'index', 0])
    for (let index = 1; index <= plan.clients; index++) rest.push([`client${index}`, 'client', 0])
    await Promise.all(rest.map((one) => launch(...one)))
  }

  /** @throws Error if there is no such node */
  node(name: string): NodeProcess {
    const node = this.nodes.get(name)
    if (node === undefined) throw new Error(`there is no node ${name}`)
    return node
  }

  /** The last words of nodes that ended in another way than they were told to; to be asked when all have ended. */
  crashes(): string[] {
    return [...this.nodes.values()].flatMap(({ crash }) => (crash === undefined ? [] : [crash]))
  }

  /** Stops all politely; the bootstraps last, so that the others can say goodbye. None is started after. */
  async stop(): Promise<void> {
    this.#over.abort(new Error('the network is being stopped'))
    const [bootstraps, others] = [...this.nodes].reduce<[NodeProcess[], NodeProcess[]]>(
      ([first, second], [name, node]) =>
        name.startsWith('bootstrap') ? [[...first, node], second] : [first, [...second, node]],
      [[], []],
    )
    await Promise.all(others.map((node) => node.stop()))
    await Promise.all(bootstraps.map((node) => node.stop()))
  }

  async kill(): Promise<void> {
    this.#over.abort(new Error('the network is being stopped'))
    await Promise.all([...this.nodes.values()].map((node) => node.kill()))
  }

  release(): void {
    for (const node of this.nodes.values()) node.release()
  }
}
