import { build } from '../cli/program.ts'
import { Cluster } from './cluster.ts'
import { whyNoNamespaces } from './laboratory.ts'
import { processorsAreOurs } from './processors.ts'
import { type SwitchedHosts, switched } from './switched-hosts.ts'

const NODES = 50
const PLAN = { bootstraps: 3, clients: 5 }
/** Nodes that start at the same time: more of them would only wait for a processor. */
const GROUP = 5
/** As far apart as two cities, and not the best of lines. */
const FAR = { delayMs: 20, jitterMs: 10, lossPercent: 2 }

const why = whyNoNamespaces('gcc')

describe(`50 hosts on a switch with delay and loss${why === undefined ? '' : ` (skipped: ${why})`}`, function () {
  this.timeout(600_000)
  let hosts: SwitchedHosts
  let cluster: Cluster

  before(async function () {
    if (why !== undefined) this.skip()
    if (!(await processorsAreOurs(60_000))) {
      console.log('      skipped: others take the processors, and 50 nodes take all of them')
      this.skip()
    }
    build()
    hosts = switched(NODES)
    cluster = new Cluster(hosts, PLAN)
    const from = performance.now()
    await cluster.startInGroups(GROUP)
    console.log(`      the last of ${NODES} answers ${Math.round(performance.now() - from)} ms after the first was started`)
  })

  afterEach(function () {
    if (this.currentTest?.state === 'failed') for (const node of cluster.nodes) console.error(node.lastWords.slice(-300))
  })

  after(async () => {
    await cluster?.end()
    hosts?.down()
  })

  it('all are linked, and every member is alive in all tables, within 20 s of the last start', async () => {
    const aliveMs = await cluster.allAliveWithin(20)
    const sameMs = await cluster.sameEventsWithin(10)
    console.log(`      alive after ${Math.round(aliveMs)} ms, the same events ${Math.round(sameMs)} ms later`)
  })

  it('a third killed with -9, 20 ms apart and with 2 % loss: dead in every table within 40 s, and nobody else is', async () => {
    hosts.each(FAR)
    const victims = cluster.nodes.filter(({ index }) => index % 3 === 1)
    await Promise.all(victims.map((node) => node.kill()))
    const deadMs = await cluster.within(40, 'the victims dead in every table', async () => {
      const tables = await cluster.tables()
      return tables.flatMap(({ node, states }) =>
        victims
          .filter(({ id, role }) => role !== 'client' && states.get(id) !== 'dead')
          .map(({ id, index }) => `${node.index} has ${index} ${states.get(id)}`),
      )
    })
    const aliveMs = await cluster.allAliveWithin(10)
    const sameMs = await cluster.sameEventsWithin(15)
    console.log(`      dead after ${ms(deadMs)}, the living alive ${ms(aliveMs)} and the events the same ${ms(sameMs)} later`)
    const from = performance.now()
    for (const node of victims) node.start()
    await cluster.allAliveWithin(60)
    console.log(`      ${victims.length} back in all tables ${ms(performance.now() - from)} after they were started at once`)
  })

  it('all bootstraps killed, and back: the network goes on meanwhile, and they are alive in all tables within 30 s', async () => {
    const bootstraps = cluster.nodes.filter(({ role }) => role === 'bootstrap')
    await Promise.all(bootstraps.map((node) => node.kill()))
    for (const node of bootstraps) await cluster.believedWithin(node, 'dead', 40)
    await cluster.allAliveWithin(10)
    const restarted = cluster.at(10)
    await restarted.kill('SIGTERM')
    restarted.start()
    const backMs = await cluster.allAliveWithin(20)
    for (const node of bootstraps) node.start()
    const aliveMs = await cluster.allAliveWithin(30)
    await cluster.sameEventsWithin(10)
    console.log(`      an index node back without them after ${ms(backMs)}; they are back after ${ms(aliveMs)}`)
  })

  it('no node takes more than 200 MB', async () => {
    const most = Math.max(...cluster.running.map((node) => node.memoryBytes))
    console.log(`      at most ${Math.round(most / 1e6)} MB`)
    if (most > 200e6) throw new Error(`a node takes ${Math.round(most / 1e6)} MB`)
  })
})

const ms = (time: number): string => `${Math.round(time)} ms`
