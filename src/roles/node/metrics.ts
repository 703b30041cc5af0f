import { createServer } from 'node:http'
import { Counter, Gauge, Registry } from 'prom-client'
import type { Overlay } from '../../network/index.ts'
import { type NodeStatus, ServiceError } from '../services.ts'

// Metrics in the Prometheus text format: base units (seconds, bytes), `_total` for what only rises. docs/metrics.md is the
// reference; test/roles/node/metrics.test.ts holds the two together.

export type MetricsSources = {
  readonly overlay: Pick<Overlay, 'status'>
  readonly heldOff: { readonly totals: ReadonlyMap<string, number> }
  status(): Promise<NodeStatus>
}

export type MetricsServer = AsyncDisposable & { readonly host: string; readonly port: number }

type Reading = {
  readonly status: NodeStatus
  readonly links: ReturnType<Overlay['status']>['links']
  readonly heldOff: ReadonlyMap<string, number>
}
type Sample = { readonly labels?: Readonly<Record<string, string>>; readonly value: number }
type Metric = {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
  read(reading: Reading): readonly Sample[]
}

const one = (value: number): readonly Sample[] => [{ value }]
const VIEWS = ['eager', 'lazy', 'none'] as const
const STATES = ['alive', 'suspect', 'dead', 'left'] as const

const GAUGES: readonly Metric[] = [
  {
    name: 'p2pt_node_info',
    help: 'Always 1; what the node is stands in the labels.',
    labels: ['role', 'version'],
    read: ({ status: { role, version } }) => [{ labels: { role, version }, value: 1 }],
  },
  {
    name: 'p2pt_ready',
    help: '1 if the node can be reached and answers.',
    read: ({ status }) => one(status.ready ? 1 : 0),
  },
  {
    name: 'p2pt_links',
    help: 'Links to other nodes, by how gossip uses them.',
    labels: ['view'],
    read: ({ links }) => VIEWS.map((view) => ({ labels: { view }, value: links.filter((link) => link.view === view).length })),
  },
  {
    name: 'p2pt_link_round_trip_seconds',
    help: 'Last round trip of a ping over a link; peers by the first 8 digits of their ids.',
    labels: ['peer'],
    read: ({ links }) =>
      links.flatMap(({ peer, roundTripMs }) =>
        roundTripMs === undefined ? [] : [{ labels: { peer: peer.slice(0, 8) }, value: roundTripMs / 1_000 }],
      ),
  },
  {
    name: 'p2pt_members',
    help: 'Bootstraps and index nodes known, by what is believed of them.',
    labels: ['state'],
    read: ({ status }) => STATES.map((state) => ({ labels: { state }, value: status.members[state] })),
  },
  {
    name: 'p2pt_gossip_backlog_events',
    help: 'Names of events that wait for neighbours, over all links.',
    read: ({ links }) => one(links.reduce((sum, { backlog }) => sum + backlog, 0)),
  },
  {
    name: 'p2pt_gossip_held_back_events',
    help: 'Events that have arrived and wait for others that come before them.',
    read: ({ status }) => one(status.gossip.heldBack),
  },
  {
    name: 'p2pt_log_events',
    help: 'Place of the last event in the log: all that there were, pruned ones too.',
    read: ({ status }) => one(status.log.head),
  },
  {
    name: 'p2pt_log_damaged_tables',
    help: 'Files of the log that were found damaged since the start.',
    read: ({ status }) => one(status.log.damage.length),
  },
  { name: 'p2pt_lamport_clock', help: "The node's Lamport clock.", read: ({ status }) => one(status.log.lamport) },
  {
    name: 'process_start_time_seconds',
    help: 'When the node started, in seconds since 1970.',
    read: ({ status }) => one(status.startedAt / 1_000),
  },
  {
    name: 'process_resident_memory_bytes',
    help: 'Resident memory.',
    read: ({ status }) => one(status.memoryBytes),
  },
]

const COUNTERS: readonly Metric[] = [
  {
    name: 'p2pt_gossip_events_received_total',
    help: 'Events of others that were new.',
    read: ({ status }) => one(status.gossip.eventsIn),
  },
  {
    name: 'p2pt_gossip_events_sent_total',
    help: 'Events sent whole, each copy counted.',
    read: ({ status }) => one(status.gossip.eventsOut),
  },
  {
    name: 'p2pt_gossip_duplicates_total',
    help: 'Copies of events that were here already.',
    read: ({ status }) => one(status.gossip.duplicates),
  },
  {
    name: 'p2pt_gossip_rejected_total',
    help: 'Messages and events that were refused.',
    read: ({ status }) => one(status.gossip.rejected),
  },
  {
    name: 'p2pt_quarantined_total',
    help: 'Offences of peers: clock jumps, bad signatures, malformed messages, floods, two events with one number.',
    read: ({ status }) => one(status.gossip.quarantined),
  },
  {
    name: 'p2pt_held_off_total',
    help: 'Peers that were not let in, were put out, or are over what is kept of them, by reason.',
    labels: ['reason'],
    read: ({ heldOff }) => [...heldOff].map(([reason, value]) => ({ labels: { reason }, value })),
  },
  {
    name: 'process_cpu_seconds_total',
    help: 'Processor time used, user and system.',
    read: () => {
      const { user, system } = process.cpuUsage()
      return one((user + system) / 1e6)
    },
  },
]

/** Every metric, for the reference. */
export const METRICS: readonly (Pick<Metric, 'name' | 'help' | 'labels'> & { type: 'gauge' | 'counter' })[] = [
  ...GAUGES.map(({ name, help, labels = [] }) => ({ name, help, labels, type: 'gauge' as const })),
  ...COUNTERS.map(({ name, help, labels = [] }) => ({ name, help, labels, type: 'counter' as const })),
]

/**
 * Serves the metrics of a node at http://HOST:PORT/metrics.
 * @param port 0 lets the system choose
 * @throws ServiceError `failed` if the address cannot be listened on
 */
export async function startMetrics(at: { host: string; port: number }, sources: MetricsSources): Promise<MetricsServer> {
  const registry = new Registry()
  const gauges = GAUGES.map((metric) => ({ metric, gauge: new Gauge(optionsOf(metric, registry)) }))
  const counters = COUNTERS.map((metric) => ({ metric, counter: new Counter(optionsOf(metric, registry)) }))

  const text = async (): Promise<string> => {
    const reading: Reading = {
      status: await sources.status(),
      links: sources.overlay.status().links,
      heldOff: sources.heldOff.totals,
    }
    for (const { metric, gauge } of gauges) {
      gauge.reset()
      for (const { labels = {}, value } of metric.read(reading)) gauge.set(labels, value)
    }
    for (const { metric, counter } of counters) {
      counter.reset()
      for (const { labels = {}, value } of metric.read(reading)) counter.inc(labels, value)
    }
    return registry.metrics()
  }

  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('metrics are at /metrics\n')
      return
    }
    text().then(
      (body) => response.writeHead(200, { 'content-type': registry.contentType }).end(body),
      () => response.writeHead(503).end(),
    )
  })
  // A scraper asks and goes: nobody holds connections open here.
  server.maxConnections = 16
  server.requestTimeout = 5_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new ServiceError('failed', `metrics cannot be served at ${at.host}:${at.port}: ${cause.message}`, { cause })),
    )
    server.listen(at.port, at.host, resolve)
  })
  // No descriptor left for a connection: the next scrape may have one.
  server.on('error', () => {})
  const address = server.address()
  return {
    host: at.host,
    port: typeof address === 'object' && address !== null ? address.port : at.port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

const optionsOf = ({ name, help, labels = [] }: Metric, registry: Registry) => ({
  name,
  help,
  labelNames: [...labels],
  registers: [registry],
})
