import assert from 'node:assert/strict'
import { build } from '../cli/program.ts'
import { Cluster } from './cluster.ts'
import { type BridgedHosts, namespaces } from './hosts.ts'
import { whyNoNamespaces } from './laboratory.ts'
import { processorsAreOurs } from './processors.ts'

const NODES = 15
const PLAN = { bootstraps: 3, clients: 2 }
/** Cold starts in a row that must all go well. */
const STARTS = Number(process.env.P2PT_CLUSTER_STARTS ?? 10)

const why = whyNoNamespaces()

describe(`15 hosts in network namespaces${why === undefined ? '' : ` (skipped: ${why})`}`, function () {
  this.timeout(300_000)
  let hosts: BridgedHosts
  let cluster: Cluster | undefined

  before(function () {
    if (why !== undefined) this.skip()
    build()
    hosts = namespaces(NODES)
  })

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') for (const node of cluster?.nodes ?? []) console.error(node.lastWords.slice(-300))
    hosts.unsplit()
    await cluster?.end()
  })

  after(() => hosts?.down())

  const started = async (): Promise<Cluster> => {
    await cluster?.end()
    cluster = new Cluster(hosts, PLAN)
    cluster.startAll()
    await cluster.allAliveWithin(30)
    return cluster
  }

  it(`started at the same moment: all linked, and every member alive in all tables, within 10 s, ${STARTS} times of ${STARTS}`, async function () {
    if (!(await processorsAreOurs(60_000))) {
      console.log('      skipped: others take the processors, and a start takes all of them')
      this.skip()
    }
    const took: number[] = []
    for (let time = 0; time < STARTS; time++) {
      await cluster?.end()
      cluster = new Cluster(hosts, PLAN)
      cluster.startAll()
      took.push(Math.round(await cluster.allAliveWithin(10)))
    }
    console.log(`      ms: ${took.join(' ')}`)
  })

  it('one killed with -9: dead in every table within 15 s; back with its identity: alive in every table within 10 s', async () => {
    const cluster = await started()
    const victim = cluster.at(7)
    await victim.kill()
    const deadMs = await cluster.believedWithin(victim, 'dead', 15)
    const id = victim.id
    victim.start()
    const aliveMs = await cluster.allAliveWithin(10)
    assert.equal((await victim.status())?.id, id)
    console.log(`      dead after ${Math.round(deadMs)} ms, alive after ${Math.round(aliveMs)} ms`)
  })

  it('cut 7 | 8 for 60 s, with events on both sides: the same gossiped events everywhere 15 s after it is healed', async () => {
    const cluster = await started()
    hosts.split(7)
    const until = performance.now() + 60_000
    // Both sides have something to say: who died, and who came back.
    await Promise.all([cluster.at(5).kill(), cluster.at(11).kill()])
    const seenMs = await cluster.within(40, 'each side believes the other dead', async () => {
      const tables = await cluster.tables()
      return tables.flatMap(({ node, states }) => {
        const far = cluster.nodes.filter(({ index, role }) => role !== 'client' && index < 7 !== node.index < 7)
        return far
          .filter(({ id }) => states.get(id) !== 'dead')
          .map(({ id, index }) => `${node.index} has ${index} ${states.get(id)}`)
      })
    })
    cluster.at(5).start()
    cluster.at(11).start()
    await cluster.within(70, 'a minute', async () => (performance.now() < until ? ['not over'] : []))
    hosts.unsplit()
    const sameMs = await cluster.sameEventsWithin(15)
    const aliveMs = await cluster.allAliveWithin(15)
    console.log(
      `      seen after ${Math.round(seenMs)} ms; the same after ${Math.round(sameMs)} ms, all alive ${Math.round(aliveMs)} ms later`,
    )
  })

  it('all bootstraps killed: the network goes on, and an index node that restarts finds it without them', async () => {
    const cluster = await started()
    const bootstraps = cluster.nodes.filter(({ role }) => role === 'bootstrap')
    const restarted = cluster.at(8)
    // It has met the others: what it knows of them is in its log.
    await Promise.all(bootstraps.map((node) => node.kill()))
    for (const node of bootstraps) await cluster.believedWithin(node, 'dead', 30)
    await restarted.kill()
    await cluster.believedWithin(restarted, 'dead', 15)
    restarted.start()
    const backMs = await cluster.allAliveWithin(20)
    await cluster.sameEventsWithin(10)
    for (const node of bootstraps) node.start()
    await cluster.allAliveWithin(20)
    console.log(`      back after ${Math.round(backMs)} ms`)
  })

  it('a third killed with -9 under 5 % loss: the others know it, and hold the same events', async () => {
    const cluster = await started()
    hosts.loss(5)
    const victims = [1, 4, 6, 9, 12].map((index) => cluster.at(index))
    await Promise.all(victims.map((node) => node.kill()))
    for (const node of victims) if (node.role !== 'client') await cluster.believedWithin(node, 'dead', 40)
    await cluster.sameEventsWithin(15)
    for (const node of victims) node.start()
    await cluster.allAliveWithin(30)
  })
})
