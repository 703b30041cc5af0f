import { resolve } from 'node:path'
import {
  type ClientService,
  type NodeService,
  type PriorityName,
  type Progressive,
  type SearchHit,
  ServiceError,
} from '../../roles/index.ts'
import { linkTable, nodeStatusText } from '../render/node.ts'
import { printable } from '../render/printable.ts'
import { searchText } from '../render/search.ts'
import {
  dhtText,
  fileTable,
  movedText,
  publishText,
  recheckText,
  refusalText,
  torrentPeerTable,
  torrentTable,
} from '../render/torrents.ts'
import { withProgress } from '../services/output.ts'
import { wholeInfoHash } from '../services/prefix.ts'
import { readTorrentFile } from '../services/torrent-file.ts'
import type { ArgumentKind } from './completion.ts'
import { expandHome } from './home.ts'
import { publishArguments } from './publish-arguments.ts'

/** What a command at the prompt works with. */
export type ReplContext = {
  readonly node: NodeService
  readonly client: ClientService
  /** Hits of the last search, for `get`. */
  hits: readonly SearchHit[]
  print(text: string): void
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
}

export type ReplCommand = {
  readonly usage: string
  readonly summary: string
  /** What its arguments are, for completion. */
  readonly takes: ArgumentKind
  /** Fewest arguments. */
  readonly least: number
  /** Its arguments are one text, quotes and all, as it was typed. */
  readonly asTyped?: true
  /** @returns what to print */
  run(context: ReplContext, words: readonly string[]): Promise<string>
}

const HASH = 'info-hash' as const

const add = async ({ client }: ReplContext, request: { torrentFile: string } | { magnet: string }): Promise<string> => {
  const row = await client.add(request)
  return `added ${row.infoHash}${row.name === '' ? '' : `  ${printable(row.name)}`}; \`status\` shows how far it is`
}

/** @returns undefined if it was stopped */
async function untilStopped<R>(work: Progressive<unknown, R>, signal: AbortSignal): Promise<R | undefined> {
  const end = () => void work.return(undefined as never).catch(() => {})
  signal.addEventListener('abort', end)
  try {
    return await withProgress(work, undefined)
  } finally {
    signal.removeEventListener('abort', end)
  }
}

/** Search, publish and the rest by name, as the table in the README has them. `help` and `quit` are the session's. */
export const REPL_COMMANDS: ReadonlyMap<string, ReplCommand> = new Map<string, ReplCommand>([
  [
    'add',
    {
      usage: 'add FILE.torrent',
      summary: 'download what a torrent file describes',
      takes: 'path',
      least: 1,
      run: async (context, [file = '']) => add(context, { torrentFile: await readTorrentFile(expandHome(file)) }),
    },
  ],
  [
    'magnet',
    {
      usage: 'magnet URI',
      summary: 'download what a magnet link names',
      takes: 'none',
      least: 1,
      run: (context, [magnet = '']) => add(context, { magnet }),
    },
  ],
  [
    'publish',
    {
      usage: 'publish PATH... [--title TEXT] [--tag WORD]... [--hidden]',
      summary: 'make a torrent of a file or folder, seed it, put it into the index',
      takes: 'path',
      least: 1,
      async run(context, words) {
        const { paths, details } = publishArguments(words)
        const texts: string[] = []
        for (const path of paths) {
          const work = context.client.publish({ path: resolve(expandHome(path)), ...details })
          const result = await untilStopped(work, context.signal)
          if (result === undefined) throw new ServiceError('failed', `stopped publishing ${path}`)
          texts.push(publishText(result))
        }
        return texts.join('\n\n')
      },
    },
  ],
  [
    'search',
    {
      usage: 'search WORDS...',
      summary: 'search the index of the network',
      takes: 'none',
      least: 1,
      asTyped: true,
      async run(context, [text = '']) {
        const result = await context.client.search({ text, limit: 20 })
        context.hits = result.hits
        return `${searchText(result)}${result.hits.length === 0 ? '' : '\n`get N` downloads a hit'}`
      },
    },
  ],
  [
    'get',
    {
      usage: 'get N',
      summary: 'download a hit of the last search',
      takes: 'none',
      least: 1,
      async run(context, [number = '']) {
        const hit = context.hits[Number(number) - 1]
        if (hit === undefined)
          throw new ServiceError('usage', `there is no hit ${number}: the last search found ${context.hits.length}`)
        return add(context, { magnet: hit.magnet })
      },
    },
  ],
  [
    'status',
    {
      usage: 'status',
      summary: 'the client and its torrents',
      takes: 'none',
      least: 0,
      async run({ client }) {
        const { node, torrents, refused } = await client.clientStatus()
        return `${nodeStatusText(node, Date.now())}\n\n${refusalText(refused)}${torrentTable(torrents)}`
      },
    },
  ],
  [
    'peers',
    {
      usage: 'peers [INFOHASH]',
      summary: 'torrent peers, and links to other nodes',
      takes: HASH,
      least: 0,
      async run({ client, node }, [hash]) {
        const filter = hash === undefined ? {} : { infoHash: await wholeInfoHash(client, hash) }
        return `${torrentPeerTable(await client.torrentPeers(filter))}\n\n${linkTable(await node.links())}`
      },
    },
  ],
  [
    'dht',
    {
      usage: 'dht',
      summary: 'the two DHTs',
      takes: 'none',
      least: 0,
      run: async ({ client }) => dhtText(await client.dht()),
    },
  ],
  [
    'corrupt',
    {
      usage: 'corrupt INFOHASH PERCENT',
      summary: 'serve a share of the pieces corrupted (needs --allow-corrupt)',
      takes: HASH,
      least: 2,
      async run({ client }, [hash = '', percent = '']) {
        const share = Number(percent)
        if (!(share >= 0 && share <= 100)) throw new ServiceError('usage', `not a share from 0 to 100: ${percent}`)
        return torrentTable([await client.corrupt(await wholeInfoHash(client, hash), share)])
      },
    },
  ],
  [
    'pause',
    {
      usage: 'pause INFOHASH',
      summary: 'stop a torrent for now',
      takes: HASH,
      least: 1,
      run: async ({ client }, [hash = '']) => torrentTable([await client.pause(await wholeInfoHash(client, hash))]),
    },
  ],
  [
    'resume',
    {
      usage: 'resume INFOHASH',
      summary: 'go on with a paused torrent',
      takes: HASH,
      least: 1,
      run: async ({ client }, [hash = '']) => torrentTable([await client.resume(await wholeInfoHash(client, hash))]),
    },
  ],
  [
    'files',
    {
      usage: 'files INFOHASH',
      summary: 'the files of a torrent, and which are wanted',
      takes: HASH,
      least: 1,
      run: async ({ client }, [hash = '']) => fileTable(await client.files(await wholeInfoHash(client, hash))),
    },
  ],
  [
    'select',
    {
      usage: 'select INFOHASH skip|low|normal|high|only FILES...',
      summary: 'choose which files of a torrent are wanted',
      takes: HASH,
      least: 3,
      async run({ client }, [hash = '', what = '', ...files]) {
        const others = what === 'only' ? ({ others: 'skip' } as const) : {}
        const priority = (what === 'only' ? 'normal' : what) as PriorityName
        return torrentTable([await client.select(await wholeInfoHash(client, hash), { files, priority, ...others })])
      },
    },
  ],
  [
    'recheck',
    {
      usage: 'recheck INFOHASH',
      summary: "hash a torrent's files again, and seed what is whole",
      takes: HASH,
      least: 1,
      async run({ client, signal }, [hash = '']) {
        const row = await untilStopped(client.recheck(await wholeInfoHash(client, hash)), signal)
        if (row === undefined) throw new ServiceError('failed', 'stopped the check')
        return recheckText(row)
      },
    },
  ],
  [
    'move',
    {
      usage: 'move INFOHASH FOLDER',
      summary: "put a torrent's files into another folder",
      takes: HASH,
      least: 2,
      async run({ client, signal }, [hash = '', folder = '']) {
        const work = client.move(await wholeInfoHash(client, hash), { directory: resolve(expandHome(folder)) })
        const row = await untilStopped(work, signal)
        if (row === undefined) throw new ServiceError('failed', 'stopped; the files are where they were')
        return movedText(row)
      },
    },
  ],
  [
    'rename',
    {
      usage: 'rename INFOHASH FILE NAME',
      summary: 'call a file of a torrent, or its folder, otherwise on the disk',
      takes: HASH,
      least: 3,
      async run({ client }, [hash = '', file = '', name = '']) {
        const infoHash = await wholeInfoHash(client, hash)
        await client.rename(infoHash, { file, name })
        return fileTable(await client.files(infoHash))
      },
    },
  ],
  [
    'remove',
    {
      usage: 'remove INFOHASH',
      summary: 'forget a torrent; its files stay',
      takes: HASH,
      least: 1,
      async run({ client }, [hash = '']) {
        const infoHash = await wholeInfoHash(client, hash)
        await client.remove(infoHash, { deleteFiles: false })
        return `removed ${infoHash}; its files are still there`
      },
    },
  ],
])
