import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { Duplex } from 'node:stream'
import fc from 'fast-check'
import type { InfoHash } from '../../../src/events/index.ts'
import { dictionarySpans } from '../../../src/torrent/bencode.ts'
import type { MadeConnection, TorrentMetainfo } from '../../../src/torrent/engine.ts'
import type { Node } from '../engine-fixture.ts'
import { download, type EngineName, eventually, Lab } from '../engine-fixture.ts'
import { cut, hostileServer, sendAll } from '../hostile-server.ts'
import { extended, handshake, message, RawPeer } from '../raw-peer.ts'

const METADATA_ID = 1
const announce = (size: number) => extended(0, `d1:md11:ut_metadatai1ee13:metadata_sizei${size}ee`)
const data = (piece: number, size: number, bytes: Uint8Array) =>
  extended(METADATA_ID, Buffer.concat([Buffer.from(`d8:msg_typei1e5:piecei${piece}e10:total_sizei${size}ee`), bytes]))

let hashes = 0
const anyHash = (): InfoHash => (++hashes).toString(16).padStart(40, 'a') as InfoHash
const magnet = (infoHash: InfoHash, port: number) => `magnet:?xt=urn:btih:${infoHash}&x.pe=127.0.0.1:${port}`

export function firstBytesContract(engine: EngineName): void {
  describe('the first bytes of a peer that a magnet names', function () {
    this.timeout(60_000)
    let lab: Lab
    let seeder: Awaited<ReturnType<Lab['seeder']>>
    let node: Node
    before(async () => {
      lab = new Lab(engine)
      seeder = await lab.seeder('seeder', { 'a.bin': 100_000 })
      node = await lab.node('target')
    })
    after(() => lab[Symbol.asyncDispose]())

    /** Has the node dial a peer that says this; resolves when the node has hung up. */
    async function meet(chunksFor: (infoHash: InfoHash) => readonly Uint8Array[], infoHash = anyHash()): Promise<void> {
      await using server = await hostileServer(() => chunksFor(infoHash))
      const before = node.engine.rejectedMessages
      await node.engine.add({ kind: 'magnet', uri: magnet(infoHash, server.port) }, { directory: node.directory })
      await eventually(() => server.closed > 0)
      assert.ok(node.engine.rejectedMessages > before, 'the connection was closed for what it sent')
      await node.engine.remove(infoHash, { deleteFiles: false })
    }

    const block = Buffer.alloc(16_384)
    const attacks: Readonly<Record<string, readonly Uint8Array[]>> = {
      'metadata far behind the size that it announced': [announce(100), data(639, 100, block)],
      'a byte of metadata far behind it': [announce(100), data(639, 100, Buffer.alloc(1))],
      'more metadata than it announced': [announce(100), data(0, 100, block)],
      'less metadata than it announced': [announce(100), data(0, 100, Buffer.alloc(99))],
      'metadata of another size than it announced': [announce(100), data(0, 101, Buffer.alloc(100))],
      'metadata without announcing a size': [extended(0, 'd1:md11:ut_metadatai1eee'), data(0, 100, Buffer.alloc(100))],
      'another size after the first': [announce(100), announce(200)],
      'wrong metadata, and at once no id to ask again under': [
        announce(100),
        data(0, 100, Buffer.alloc(100)),
        extended(0, 'd1:md11:ut_metadatai0eee'),
      ],
    }

    for (const [name, messages] of Object.entries(attacks)) {
      it(`closes the connection for ${name}, in one chunk with its handshake`, async () => {
        await meet((infoHash) => [Buffer.concat([handshake(infoHash), ...messages])])
      })
    }

    it('closes it wherever the bytes are cut', async () => {
      const messages = [announce(100), data(639, 100, Buffer.alloc(1))]
      const [first] = messages
      assert.ok(first)
      const edges = [1, 20, 68, 72, 74, 68 + first.length, 68 + first.length + 4, 68 + first.length + 6]
      for (const edge of edges) {
        for (const at of [edge - 1, edge, edge + 1]) {
          await meet((infoHash) => cut(Buffer.concat([handshake(infoHash), ...messages]), [at]))
        }
      }
    })

    it('closes it when they come byte by byte', async () => {
      const messages = [announce(100), data(639, 100, Buffer.alloc(1))]
      await meet((infoHash) => {
        const bytes = Buffer.concat([handshake(infoHash), ...messages])
        return cut(bytes, [...bytes.keys()])
      })
    })

    it('closes it on a connection that was made elsewhere, whose bytes were there before', async () => {
      const infoHash = anyHash()
      await node.engine.add({ kind: 'magnet', uri: magnet(infoHash, 1) }, { directory: node.directory })
      await eventually(() => node.engine.status(infoHash)?.state === 'fetching-metadata')
      const before = node.engine.rejectedMessages
      const duplex = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
      const made = Object.assign(duplex, { remoteAddress: '198.51.100.1', remotePort: 4_001, setNoDelay: () => {} })
      duplex.push(Buffer.concat([handshake(infoHash), announce(100), data(639, 100, block)]))
      await new Promise((resolve) => setImmediate(resolve))
      node.engine.adopt(made as unknown as MadeConnection, infoHash)
      await eventually(() => duplex.destroyed)
      assert.ok(node.engine.rejectedMessages > before)
      await node.engine.remove(infoHash, { deleteFiles: false })
    })

    /** All of the real metadata, so that what was said before is looked at again. */
    const realMetadata = ({ torrentFile }: TorrentMetainfo) => {
      const info = dictionarySpans(torrentFile).get('info')
      assert.ok(info !== undefined && info.length <= 16_384)
      return [announce(info.length), data(0, info.length, info)]
    }

    const early: Readonly<Record<string, (pieces: number) => readonly Uint8Array[]>> = {
      'allowed fast of piece 200,000, and everything': () => [message(14), message(17, 200_000)],
      'have of a piece behind the last': (pieces) => [message(4, pieces)],
      'a bitfield that is a byte too long': (pieces) => [message(5, new Uint8Array(Math.ceil(pieces / 8) + 1))],
      'a bitfield that is a byte too short': (pieces) => [message(5, new Uint8Array(Math.ceil(pieces / 8) - 1))],
      'a bitfield with a spare bit': (pieces) => {
        const bits = new Uint8Array(Math.ceil(pieces / 8))
        bits[pieces >> 3] = 0x80 >> (pieces & 7)
        return [message(5, bits)]
      },
    }
    for (const [name, said] of Object.entries(early)) {
      it(`closes the connection for ${name} as soon as the number of pieces is known`, async () => {
        const { metainfo } = seeder
        assert.notEqual(metainfo.pieceCount % 8, 0)
        await meet(
          (infoHash) => [Buffer.concat([handshake(infoHash), ...said(metainfo.pieceCount), ...realMetadata(metainfo)])],
          metainfo.infoHash,
        )
      })
    }

    it('takes the metadata of an honest peer that said early which pieces it has', async () => {
      const { metainfo } = seeder
      await using server = await hostileServer(() => [
        Buffer.concat([handshake(metainfo.infoHash), message(15), message(4, 0), ...realMetadata(metainfo)]),
      ])
      await node.engine.add({ kind: 'magnet', uri: magnet(metainfo.infoHash, server.port) }, { directory: node.directory })
      const peers = () => node.engine.status(metainfo.infoHash)?.peers ?? []
      await eventually(() => peers().some(({ completion }) => completion === 1 / metainfo.pieceCount))
      await eventually(() => node.engine.status(metainfo.infoHash)?.state === 'downloading')
      assert.equal(server.closed, 0)
      await node.engine.remove(metainfo.infoHash, { deleteFiles: false })
    })

    it('tells of a peer that calls itself by no text', async () => {
      const infoHash = anyHash()
      await using server = await hostileServer(() => [Buffer.concat([handshake(infoHash), extended(0, 'd1:mde1:vi7ee')])])
      await node.engine.add({ kind: 'magnet', uri: magnet(infoHash, server.port) }, { directory: node.directory })
      await eventually(() => (node.engine.status(infoHash)?.peers.length ?? 0) > 0)
      await eventually(() => node.engine.list().some(({ peers }) => peers.some(({ port }) => port === server.port)))
      assert.equal(node.engine.status(infoHash)?.peers[0]?.client, '')
      await node.engine.remove(infoHash, { deleteFiles: false })
    })

    it('survives any messages in any chunks, from peers that dial it and from peers that it dials', async () => {
      const info = realMetadata(seeder.metainfo)
      const small = fc.nat({ max: 12 })
      const number = fc.oneof(small, fc.constantFrom(0x7fffffff, 0x80000000, 0xffffffff, 200_000, 262_143, 262_144))
      const bits = fc.uint8Array({ maxLength: 3 })
      const size = fc.constantFrom(0, 1, 100, 16_384, 16_385, 20_000)
      const any = fc.oneof(
        fc.tuple(fc.constantFrom(0, 1, 2, 3, 14, 15)).map(([id]) => message(id)),
        fc.tuple(fc.constantFrom(4, 13, 17), number).map(([id, index]) => message(id, index)),
        bits.map((bytes) => message(5, bytes)),
        fc.tuple(fc.constantFrom(6, 8, 16), number, number, number).map(([id, ...rest]) => message(id, ...rest)),
        fc
          .tuple(number, number, fc.uint8Array({ maxLength: 40, size: 'max' }))
          .map(([index, at, bytes]) => message(7, index, at, bytes)),
        fc
          .tuple(
            fc.nat({ max: 6 }),
            fc.option(size),
            fc.constantFrom('', '1:vi1e', '4:reqqi-1e', '1:vle', '9:__proto__d1:mi1ee'),
          )
          .map(([id, bytes, rest]) => {
            const announced = bytes === null ? '' : `13:metadata_sizei${bytes}e`
            return extended(0, `d1:md11:lt_donthavei3e11:ut_metadatai${id}e7:p2pt_idi2ee${announced}${rest}e`)
          }),
        fc
          .tuple(fc.nat({ max: 3 }), number, size, fc.uint8Array({ maxLength: 120, size: 'max' }))
          .map(([type, piece, total, bytes]) =>
            extended(
              METADATA_ID,
              Buffer.concat([Buffer.from(`d8:msg_typei${type}e5:piecei${piece}e10:total_sizei${total}ee`), bytes]),
            ),
          ),
        fc.constantFrom(...info),
        fc.tuple(fc.nat({ max: 5 }), fc.uint8Array({ maxLength: 100, size: 'max' })).map(([id, bytes]) => extended(id, bytes)),
        fc.uint8Array({ maxLength: 30, size: 'max' }),
      )
      const conversation = fc.record({
        messages: fc.array(any, { maxLength: 12 }),
        cuts: fc.array(fc.nat({ max: 1_000 }), { maxLength: 12 }),
        inbound: fc.boolean(),
        known: fc.boolean(),
        options: fc.record({ extended: fc.boolean(), fast: fc.boolean() }),
      })
      await fc.assert(
        fc.asyncProperty(conversation, async ({ messages, cuts, inbound, known, options }) => {
          const { infoHash, torrentFile } = seeder.metainfo
          await using server = await hostileServer(() => cut(bytes, cuts))
          const bytes = Buffer.concat([handshake(infoHash, options), ...messages])
          const source = known
            ? ({ kind: 'torrent-file', bytes: torrentFile } as const)
            : ({ kind: 'magnet', uri: magnet(infoHash, inbound ? 1 : server.port) } as const)
          await node.engine.add(source, { directory: node.directory })
          await eventually(() => !['checking', 'paused'].includes(node.engine.status(infoHash)?.state ?? 'paused'))
          if (inbound) {
            const peer = await RawPeer.open(node.engine.port)
            await sendAll(peer.socket, cut(bytes, cuts))
            peer.socket.end()
            await peer.closed
          } else {
            if (known) node.engine.connect(infoHash, '127.0.0.1', server.port)
            // It answers once everything before was read.
            await eventually(() => server.closed > 0 || node.engine.list().some(({ peers }) => peers.length > 0))
          }
          assert.ok(node.engine.list().length === 1)
          await node.engine.remove(infoHash, { deleteFiles: true })
        }),
        { numRuns: 120 },
      )
      await download(node, seeder.metainfo, [seeder])
      await node.until((said) => said.completed.length === 1)
    })
  })

  describe('a DHT node that answers with anything', function () {
    this.timeout(20_000)
    const answers: Readonly<Record<string, string>> = {
      'an id that is a number': 'd1:rd2:idi1ee1:t2:TT1:y1:re',
      'an error that is no text': 'd1:eld8:toStringi1eee1:t2:TT1:y1:ee',
      'peers that are numbers': 'd1:rd2:id20:aaaaaaaaaaaaaaaaaaaa6:valuesli1eee1:t2:TT1:y1:re',
    }
    for (const [name, answer] of Object.entries(answers)) {
      it(`holds up no look-up with ${name}`, async () => {
        await using lab = new Lab(engine)
        const socket = createSocket('udp4')
        lab.defer(() => new Promise<void>((resolve) => socket.close(resolve)))
        socket.on('message', (query: Buffer, { port }) => {
          const at = query.indexOf('1:t2:')
          const transaction = query.subarray(at + 5, at + 7).toString('latin1')
          const isPing = query.includes('4:ping')
          const honest = `d1:rd2:id20:bbbbbbbbbbbbbbbbbbbbe1:t2:${transaction}1:y1:re`
          socket.send(Buffer.from(isPing ? honest : answer.replace('TT', transaction), 'latin1'), port, '127.0.0.1')
        })
        await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
        const node = await lab.node('node', { dhtBootstrap: [{ host: '127.0.0.1', port: socket.address().port }] })
        await eventually(() => node.engine.dht.nodeCount > 0)
        const start = performance.now()
        await node.engine.lookup('ab'.repeat(20) as InfoHash)
        // The look-up itself gives up on a silent node after 2.5 s; after 5 s we give up on the look-up.
        assert.ok(performance.now() - start < 4_500)
      })
    }
  })
}
