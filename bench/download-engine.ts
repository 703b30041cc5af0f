import { join } from 'node:path'
import { randomSeed, signerFromSeed } from '../src/events/keys/signer.sodium.ts'
import { systemClock, systemTimers } from '../src/events/model/time.system.ts'
import { createTcpEngine } from '../src/torrent/engine.tcp.ts'
import { createWebtorrentEngine } from '../src/torrent/engine.webtorrent.ts'
import { TEST_NETWORK, verifySignature } from '../test/events/test-network.ts'

// One end of the download bench: `seed DIRECTORY` tells port and torrent file, `leech DIRECTORY` waits for them and
// tells how long the download took. Ends when its parent lets go of it.

const [role, directory] = process.argv.slice(2)
if (directory === undefined) throw new Error('usage: download-engine.ts seed|leech DIRECTORY')
const signer = signerFromSeed(randomSeed(), TEST_NETWORK)
const engine = (process.env.P2PT_ENGINE === 'webtorrent' ? createWebtorrentEngine : createTcpEngine)({
  host: '127.0.0.1',
  port: 0,
  dhtBootstrap: [],
  identity: { ...signer, verify: verifySignature },
  clock: systemClock,
  timers: systemTimers,
})
let startedAt = 0
engine.listen({
  checked() {},
  stamped() {},
  changed: (_, { path }) => {
    throw new Error(`${path} changed`)
  },
  described() {},
  verified() {},
  judged() {},
  suspected() {},
  peer() {},
  completed: () => process.send?.({ tookMs: performance.now() - startedAt }),
  failed: (_, problem) => {
    throw new Error(problem)
  },
})
await engine.start(new AbortController().signal)
process.once('disconnect', () => engine[Symbol.asyncDispose]())

if (role === 'seed') {
  const metainfo = await engine.create([join(directory, 'payload.bin')], {})
  const verified = [{ first: 0, count: metainfo.pieceCount }]
  const infoHash = await engine.add({ kind: 'torrent-file', bytes: metainfo.torrentFile }, { directory, verified })
  while (engine.status(infoHash)?.state !== 'seeding') await new Promise((resolve) => setTimeout(resolve, 10))
  process.send?.({ port: engine.port, torrentFile: Buffer.from(metainfo.torrentFile).toString('base64') })
} else {
  process.once('message', async (message) => {
    const { port, torrentFile } = message as { port: number; torrentFile: string }
    // Nothing is there yet, and the engine need not look.
    const source = { kind: 'torrent-file', bytes: Buffer.from(torrentFile, 'base64') } as const
    const infoHash = await engine.add(source, { directory, verified: [] })
    while (engine.status(infoHash)?.state !== 'downloading') await new Promise((resolve) => setTimeout(resolve, 10))
    startedAt = performance.now()
    engine.connect(infoHash, '127.0.0.1', port)
  })
}
