import { BULK_ITEMS_MAX, type ClientService, type IndexService, type NodeService, WHAT_IF_MAX } from '../roles/index.ts'
import { type Check, dictionary, list, number, optional, percent, record, text, truth, whole } from './parameters.ts'

// The table of what can be asked through the socket, built from the service interfaces: a method that is missing
// here, or has the wrong shape, does not compile. On the wire a method is named `service.method`.

/** `answer`: one result. `stream`: values as `progress` notifications, then the result. */
export type Shape = 'answer' | 'stream'

type ShapeOf<F> = F extends (...parameters: never[]) => Promise<unknown> ? 'answer' : 'stream'
type ParametersOf<F> = F extends (...parameters: infer P) => unknown ? { readonly [I in keyof P]-?: Check } : never

export type MethodTable<S> = {
  readonly [M in keyof S]: { readonly shape: ShapeOf<S[M]>; readonly parameters: ParametersOf<S[M]> }
}

export type Services = { node: NodeService; index: IndexService | undefined; client: ClientService | undefined }
export type ServiceName = keyof Services

const logFilter = record({
  from: optional(whole),
  to: optional(whole),
  kinds: optional(list(text)),
  author: optional(text),
  limit: optional(whole),
  last: optional(whole),
})
const asOf = optional(record({ at: optional(whole) }))
const searchRequest = record({ text, limit: optional(whole), cursor: optional(text) })

const selectRequest = record({
  files: optional(list(text)),
  priority: optional(text),
  others: optional(text),
  sequential: optional(truth),
})

const sourcesRequest = record({
  public: optional(truth),
  dht: optional(truth),
  local: optional(truth),
  addTrackers: optional(list(text)),
  removeTrackers: optional(list(text)),
  addWebSeeds: optional(list(text)),
  removeWebSeeds: optional(list(text)),
  addPeers: optional(list(text)),
})
const rates = { downloadBytesPerSecond: optional(whole), uploadBytesPerSecond: optional(whole) }
const limits = { ...rates, ratioGoalPercent: optional(whole), seedGoalMs: optional(whole) }
const settings = {
  localDownloadBytesPerSecond: optional(whole),
  localUploadBytesPerSecond: optional(whole),
  remoteDownloadBytesPerSecond: optional(whole),
  remoteUploadBytesPerSecond: optional(whole),
  connectionsMax: optional(whole),
  uploadSlots: optional(whole),
  downloadsMax: optional(whole),
  seedsMax: optional(whole),
  schedule: optional(list(record({ when: text, downloadBytesPerSecond: whole, uploadBytesPerSecond: whole }))),
}

const node: MethodTable<NodeService> = {
  events: { shape: 'stream', parameters: [logFilter] },
  head: { shape: 'answer', parameters: [] },
  stats: { shape: 'stream', parameters: [optional(record({ read: optional(truth) }))] },
  verify: { shape: 'stream', parameters: [record({ signatures: truth })] },
  signed: { shape: 'stream', parameters: [logFilter] },
  place: { shape: 'answer', parameters: [text] },
  scores: { shape: 'answer', parameters: [asOf] },
  explain: { shape: 'answer', parameters: [text, asOf] },
  hindsight: { shape: 'stream', parameters: [asOf] },
  bisect: { shape: 'stream', parameters: [text, asOf] },
  diff: { shape: 'stream', parameters: [record({ file: text })] },
  audit: { shape: 'stream', parameters: [text] },
  replay: {
    shape: 'stream',
    parameters: [
      record({
        without: optional(list(text, WHAT_IF_MAX)),
        withoutEvents: optional(list(whole, WHAT_IF_MAX)),
        until: optional(whole),
        as: optional(text),
        policy: optional(record({ id: text, parameters: dictionary(number) })),
      }),
    ],
  },
  members: { shape: 'answer', parameters: [asOf] },
  digests: { shape: 'answer', parameters: [record({ at: optional(whole) })] },
  network: { shape: 'answer', parameters: [] },
  status: { shape: 'answer', parameters: [] },
  links: { shape: 'answer', parameters: [] },
  stop: { shape: 'answer', parameters: [] },
  backup: { shape: 'stream', parameters: [record({ directory: text })] },
  rebuild: { shape: 'stream', parameters: [record({ projections: optional(list(text)) })] },
  tail: { shape: 'stream', parameters: [record({ from: optional(whole), kinds: optional(list(text)) })] },
  notices: { shape: 'stream', parameters: [record({ last: optional(whole) })] },
  revoke: { shape: 'answer', parameters: [text, text] },
  ban: { shape: 'answer', parameters: [text, text] },
  unban: { shape: 'answer', parameters: [text, text] },
  adopt: { shape: 'answer', parameters: [record({ id: text, parameters: dictionary(number) })] },
}

const index: MethodTable<IndexService> = {
  indexStatus: { shape: 'answer', parameters: [record({ partitions: truth })] },
  searchHere: { shape: 'answer', parameters: [searchRequest] },
}

const client: MethodTable<ClientService> = {
  add: {
    shape: 'answer',
    parameters: [
      record({
        torrentFile: optional(text),
        magnet: optional(text),
        directory: optional(text),
        overwrite: optional(truth),
        select: optional(selectRequest),
        public: optional(truth),
        dht: optional(truth),
        local: optional(truth),
      }),
    ],
  },
  follow: { shape: 'stream', parameters: [text] },
  publish: {
    shape: 'stream',
    parameters: [
      record({
        path: optional(text),
        torrentFile: optional(text),
        directory: optional(text),
        title: optional(text),
        tags: optional(list(text)),
        hidden: optional(truth),
        hybrid: optional(truth),
      }),
    ],
  },
  publishMany: {
    shape: 'stream',
    parameters: [
      record({
        items: list(
          record({ path: text, directory: optional(text), title: optional(text), tags: optional(list(text)) }),
          BULK_ITEMS_MAX,
        ),
        hidden: optional(truth),
        hybrid: optional(truth),
      }),
    ],
  },
  search: { shape: 'answer', parameters: [searchRequest] },
  clientStatus: { shape: 'answer', parameters: [] },
  torrentPeers: { shape: 'answer', parameters: [record({ infoHash: optional(text) })] },
  dht: { shape: 'answer', parameters: [] },
  pause: { shape: 'answer', parameters: [text] },
  resume: { shape: 'answer', parameters: [text] },
  recheck: { shape: 'stream', parameters: [text] },
  move: { shape: 'stream', parameters: [text, record({ directory: text })] },
  rename: { shape: 'answer', parameters: [text, record({ file: text, name: text })] },
  torrentFile: { shape: 'answer', parameters: [text] },
  sources: { shape: 'answer', parameters: [text] },
  changeSources: { shape: 'answer', parameters: [text, sourcesRequest] },
  limits: { shape: 'answer', parameters: [] },
  configure: { shape: 'answer', parameters: [record({ ...limits, ...settings })] },
  limit: { shape: 'answer', parameters: [text, record(limits)] },
  files: { shape: 'answer', parameters: [text] },
  select: { shape: 'answer', parameters: [text, selectRequest] },
  remove: { shape: 'answer', parameters: [text, record({ deleteFiles: truth })] },
  corrupt: { shape: 'answer', parameters: [text, percent] },
}

export const METHODS = { node, index, client } as const

export type Method = {
  readonly service: ServiceName
  readonly name: string
  readonly shape: Shape
  readonly parameters: readonly Check[]
}

/** Every method by its name on the wire, e.g. `log`-like reads `node.events`, `client.publish`. */
export const METHOD_BY_NAME: ReadonlyMap<string, Method> = new Map(
  (Object.keys(METHODS) as ServiceName[]).flatMap((service) =>
    Object.entries(METHODS[service]).map(([name, { shape, parameters }]): [string, Method] => [
      `${service}.${name}`,
      { service, name, shape, parameters },
    ]),
  ),
)
