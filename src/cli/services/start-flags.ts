import { resolve } from 'node:path'
import { Flags } from '@oclif/core'
import type { NodeRole } from '../../events/index.ts'
import { ServiceError } from '../../roles/index.ts'
import { ENCRYPTIONS, ENGINES, type StartOptions } from '../../roles/start.ts'
import { dialableIpv4, type Endpoint, ipv4, outwardAddress, parseEndpoint, resolveBootstrap } from './addresses.ts'
import { parseByteRate, parseDiskLimit, parseRateLimit } from './byte-rate.ts'
import { dataDirectory } from './data-directory.ts'
import { networkToJoin } from './join.ts'

/** UDP ports by default: fixed where others have to find the node again, chosen by the system for clients. */
export const DEFAULT_PORTS: Readonly<Record<NodeRole, number>> = { bootstrap: 4700, index: 4710, client: 0 }

/** The port after it belongs to some roles as well. */
export const PORT_MAX = 65_534
const DEFAULT_HOST = '0.0.0.0'

export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const

/** What a role listens on besides it. */
const NEXT_TO_IT: { readonly [R in NodeRole]: string } = {
  bootstrap: '; the torrent DHT takes the next one',
  index: '',
  client: ', and TCP port of the torrents',
}

/** Flags of every `start`; what has a default has it in `startOptions`, below what was kept of earlier starts. */
export const startFlags = (role: NodeRole) => ({
  join: Flags.string({
    summary: 'The string that its owner gave you to join the network with. It is remembered: later starts need none.',
    description: 'Where others can read the command lines of this machine, set P2PT_JOIN instead.',
    helpValue: 'STRING',
  }),
  network: Flags.string({
    summary: "A network of your own, by name or by the folder of its owner's key; it is made if it is not there.",
    description:
      'For machines where that key may be: the node invites itself. Several nodes that are given one folder, as in the compose file, make one network. P2PT_NETWORK says the same.',
    exclusive: ['join'],
    helpValue: 'NAME|DIR',
  }),
  bootstrap: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    summary:
      'An entry point of the network, where it is another than the join string says. Repeat it, or set P2PT_BOOTSTRAP to several with commas between.',
    helpValue: 'HOST:PORT',
  }),
  port: Flags.integer({
    summary: `UDP port of the overlay${NEXT_TO_IT[role]}. 0 lets the system choose. Default: ${DEFAULT_PORTS[role]}.`,
    min: 0,
    max: PORT_MAX,
    helpValue: 'PORT',
  }),
  host: Flags.string({
    summary: `Address to listen on (IPv4, or a name that has one). Default: ${DEFAULT_HOST}.`,
    helpValue: 'HOST',
  }),
  advertise: Flags.string({
    summary: "Address that others dial. Default: --host, or this machine's first address when that is 0.0.0.0.",
    helpValue: 'HOST',
  }),
  'accept-fork-risk': Flags.boolean({
    default: false,
    summary: 'After a restore: go on without asking peers what this node said after its backup was made.',
    description:
      'Only where no peer is left that could know. If one does, the sequence of this node forks, and it needs a new key.',
  }),
  'retain-liveness': Flags.integer({
    summary:
      'How long changes of members and round trips stay in the log, by default 7 days. Verdicts, publications and downloads always stay.',
    min: 1,
    max: 36_500,
    helpValue: 'DAYS',
  }),
  'disk-limit': Flags.string({
    summary: 'Above this size of the log (16MB or more), round trips and then changes of members go sooner.',
    helpValue: 'SIZE',
  }),
  'scrub-rate': Flags.string({
    summary: 'How fast the log is read through in the background, once a week, to find damage. Default: 16MB a second.',
    helpValue: 'RATE',
  }),
  metrics: Flags.string({
    summary: 'Serve Prometheus metrics at http://HOST:PORT/metrics; on loopback when only a port is given. 0: any free port.',
    helpValue: '[HOST:]PORT',
  }),
  'log-level': Flags.option({
    summary: 'Program log on stderr, JSON lines. Default: silent.',
    options: LOG_LEVELS,
  })(),
})

/** Flags of `client start` alone. */
export const clientStartFlags = {
  downloads: Flags.string({ summary: 'Where downloads go. Default: `downloads` in the data directory.', helpValue: 'DIR' }),
  'download-limit': Flags.string({
    summary: 'Most that is downloaded a second from now on, e.g. 2MB, or none; see `client limit`.',
    helpValue: 'RATE',
  }),
  'upload-limit': Flags.string({
    summary: 'Most that is uploaded a second from now on, e.g. 500kB, or none.',
    helpValue: 'RATE',
  }),
  public: Flags.boolean({
    allowNo: true,
    summary: 'All torrents that are not private are public, as with `client sources --public`.',
  }),
  'public-dht': Flags.string({
    summary:
      'All public torrents take part in the public Mainline DHT, entered by these nodes, or by well-known ones: default.',
    description:
      'Its nodes, which are strangers, then know which torrents are here. It is a node of its own, apart from the DHT of the network, and runs while a public torrent is open.',
    helpValue: 'HOST:PORT,...|default',
  }),
  'local-discovery': Flags.boolean({
    allowNo: true,
    summary: 'All public torrents are announced on the local network (BEP 14).',
  }),
  'plain-peers': Flags.boolean({
    allowNo: true,
    summary: 'Exchange pieces with other BitTorrent clients too, which prove no key of the network.',
    description: 'In a network by invitation only admitted nodes are served otherwise; in an open one everybody is.',
  }),
  engine: Flags.option({
    summary: 'What moves the pieces: our own engine, or webtorrent. Default: p2pt.',
    options: ENGINES,
  })(),
  encryption: Flags.option({
    summary: 'Connections with peers: allow encrypted ones, require or refuse them. Default: allow.',
    description:
      'It hides BitTorrent from who filters by it, and proves nobody. With allow, who hangs up on a plain connection is dialled with encryption the next time; with require, what follows the handshake is encrypted too, and peers that only speak plain are not reached. Ways through routers are encrypted anyhow.',
    options: ENCRYPTIONS,
  })(),
  'allow-corrupt': Flags.boolean({
    default: false,
    summary: 'Let `client corrupt` serve damaged pieces (for testing reputation).',
  }),
}

export type StartFlags = {
  join?: string | undefined
  network?: string | undefined
  data?: string | undefined
  bootstrap?: string[] | undefined
  port?: number | undefined
  host?: string | undefined
  advertise?: string | undefined
  metrics?: string | undefined
  'log-level'?: StartOptions['logLevel'] | undefined
  'retain-liveness'?: number | undefined
  'disk-limit'?: string | undefined
  'scrub-rate'?: string | undefined
  downloads?: string | undefined
  'download-limit'?: string | undefined
  'upload-limit'?: string | undefined
  engine?: StartOptions['engine'] | undefined
  encryption?: StartOptions['encryption'] | undefined
  'allow-corrupt'?: boolean
  public?: boolean | undefined
  'public-dht'?: string | undefined
  'local-discovery'?: boolean | undefined
  'plain-peers'?: boolean | undefined
  'accept-fork-risk'?: boolean
}

/** @throws ServiceError `usage` if one of them is no HOST:PORT */
export function bootstrapEndpoints(flags: Pick<StartFlags, 'bootstrap'>, environment: NodeJS.ProcessEnv): Endpoint[] {
  const fromEnvironment = (environment.P2PT_BOOTSTRAP ?? '').split(',').filter((part) => part.trim() !== '')
  const given = flags.bootstrap ?? fromEnvironment
  return given.flatMap((text) => text.split(',')).map(parseEndpoint)
}

/** @returns nothing for the well-known ones; names are looked up when they are needed @throws ServiceError `usage` */
export const publicDhtNodes = (text: string): Endpoint[] => (text === 'default' ? [] : text.split(',').map(parseEndpoint))

/** @throws ServiceError `usage` */
export function metricsAddress(text: string): { host: string; port: number } {
  // The one place where IPv6 is as good: what listens there is HTTP.
  const [, bracketed, plain = '127.0.0.1', digits = ''] = /^(?:\[(.+)\]:|(.+):)?(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  if (digits === '' || port > 65_535)
    throw new ServiceError('usage', `--metrics ${text} is no [HOST:]PORT, such as 9464 or 0.0.0.0:9464`)
  return { host, port }
}

/**
 * The options of a start from its flags, names resolved. A network of `--network` is made last: a start that is refused
 * leaves none behind.
 * @throws ServiceError `usage`
 */
export async function startOptions(
  role: NodeRole,
  flags: StartFlags,
  tell: (sentence: string) => void,
  signal: AbortSignal,
): Promise<StartOptions> {
  if (flags.engine === 'webtorrent' && flags.encryption === 'require')
    throw new ServiceError('usage', 'webtorrent encrypts nothing: --encryption require needs --engine p2pt')
  const network = networkToJoin(role, flags, process.env)
  const given = bootstrapEndpoints(flags, process.env)
  const endpoints = given.length > 0 ? given : network.bootstraps.map(parseEndpoint)
  if (role !== 'bootstrap' && endpoints.length === 0)
    throw new ServiceError(
      'usage',
      `a node of role ${role} needs at least one --bootstrap HOST:PORT (or P2PT_BOOTSTRAP): ${network.whose} names none`,
    )
  const host = await ipv4(flags.host ?? DEFAULT_HOST)
  const port = flags.port ?? DEFAULT_PORTS[role]
  const advertise =
    flags.advertise !== undefined ? await dialableIpv4(flags.advertise) : host === '0.0.0.0' ? outwardAddress() : undefined
  const downloadRate = flags['download-limit']
  const uploadRate = flags['upload-limit']
  const bootstrap = await resolveBootstrap(endpoints, tell, signal)
  // One list of bootstraps may go to every node, to the bootstraps themselves as well.
  const itself = (endpoint: Endpoint) => endpoint.port === port && endpoint.host === (advertise ?? host)
  const options: StartOptions = {
    role,
    dataDirectory: dataDirectory(flags.data, role),
    host,
    port,
    logLevel: flags['log-level'] ?? 'silent',
    ...(flags.metrics === undefined ? {} : { metrics: metricsAddress(flags.metrics) }),
    bootstrap: bootstrap.filter((endpoint) => !itself(endpoint)),
    ...(advertise === undefined ? {} : { advertise }),
    ...(flags.public === true ? { public: true } : {}),
    ...(flags['public-dht'] === undefined ? {} : { publicDht: publicDhtNodes(flags['public-dht']) }),
    ...(flags['local-discovery'] === true ? { localDiscovery: true } : {}),
    ...(flags['plain-peers'] === true ? { plainPeers: true } : {}),
    ...(flags.engine === undefined ? {} : { engine: flags.engine }),
    ...(flags.encryption === undefined ? {} : { encryption: flags.encryption }),
    ...(flags['allow-corrupt'] === true ? { allowCorrupt: true } : {}),
    ...(flags['accept-fork-risk'] === true ? { acceptForkRisk: true } : {}),
    ...(flags.downloads === undefined ? {} : { downloads: resolve(flags.downloads) }),
    ...(flags['retain-liveness'] === undefined ? {} : { retainLivenessDays: flags['retain-liveness'] }),
    ...(flags['disk-limit'] === undefined ? {} : { diskLimitBytes: parseDiskLimit(flags['disk-limit']) }),
    ...(flags['scrub-rate'] === undefined ? {} : { scrubBytesPerSecond: parseByteRate(flags['scrub-rate']) }),
    ...(downloadRate === undefined ? {} : { downloadBytesPerSecond: parseRateLimit(downloadRate) }),
    ...(uploadRate === undefined ? {} : { uploadBytesPerSecond: parseRateLimit(uploadRate) }),
  }
  const joining = network.joining()
  return joining === undefined ? options : { ...options, joining }
}
