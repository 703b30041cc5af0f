import type { BadPiece, PeerId, PieceRange } from '../../../src/events/index.ts'
import { signerFromSeed } from '../../../src/events/keys/signer.sodium.ts'
import { BanList } from '../../../src/torrent/ban-list.ts'
import { encode } from '../../../src/torrent/bencode.ts'
import { KnownEndpoints } from '../../../src/torrent/known-endpoints.ts'
import { checkInfo, type Metainfo } from '../../../src/torrent/metainfo.ts'
import { bitfieldOf } from '../../../src/torrent/piece-ranges.ts'
import { sha1 } from '../../../src/torrent/sha1.system.ts'
import type { Peer, PeerLink } from '../../../src/torrent/swarm/peer.ts'
import { PeerSwarm, type PeerSwarmOptions, type PieceFiles } from '../../../src/torrent/swarm/peer-swarm.ts'
import { SendBuffers } from '../../../src/torrent/swarm/send-buffers.ts'
import { TransferTurns } from '../../../src/torrent/swarm/transfer-turns.ts'
import { encodeHandshake } from '../../../src/torrent/wire/handshake.ts'
import { MessageSplitter } from '../../../src/torrent/wire/message-splitter.ts'
import { TEST_NETWORK, verifySignature } from '../../events/test-network.ts'
import { randomFrom } from '../../sim/random.ts'
import { VirtualTime } from '../../sim/virtual-time.ts'

// Swarms on a virtual clock, joined by streams in memory, with their pieces in memory.

export const PIECE_BYTES = 65_536
const LATENCY_MS = 5

/** One file of made-up bytes. */
export function madeUp(pieceCount: number, lastBytes = PIECE_BYTES): { metainfo: Metainfo; bytes: Uint8Array } {
  const bytes = new Uint8Array((pieceCount - 1) * PIECE_BYTES + lastBytes)
  for (let at = 0; at < bytes.length; at++) bytes[at] = (at * 31 + (at >> 12) * 7) & 255
  const hashes = Array.from({ length: pieceCount }, (_, index) =>
    Buffer.from(sha1([bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES)]), 'hex'),
  )
  const info = encode({ length: bytes.length, name: 'made-up', 'piece length': PIECE_BYTES, pieces: Buffer.concat(hashes) })
  return { metainfo: checkInfo(info, sha1), bytes }
}

export type LabPeer = {
  readonly name: string
  readonly swarm: PeerSwarm
  readonly id: PeerId
  readonly bytes: Uint8Array
  readonly verified: PieceRange[]
  readonly judged: { subject: PeerId; good: readonly PieceRange[]; bad: readonly BadPiece[] }[]
  readonly failed: string[]
  completed: number
  rejected: number
  dials: string[]
  readonly bans: BanList
  /** Pieces that stand on its disk, as they come. */
  readonly written: Set<number>
  /** A piece was wrong. */
  onBad: (index: number) => void
  /** What is done to a block as it is read. */
  spoil: (index: number, offset: number, block: Uint8Array) => Uint8Array
}

export class SwarmLab {
  readonly time = new VirtualTime()
  readonly #random: () => number
  #ports = 1

  constructor(seed = 7) {
    this.#random = randomFrom(seed)
  }

  peer(
    name: string,
    metainfo: Metainfo,
    options: { has?: Uint8Array; found?: Uint8Array; knows?: boolean; swarm?: Partial<PeerSwarmOptions> } = {},
  ): LabPeer {
    const key = Uint8Array.from({ length: 32 }, () => this.#random() * 256)
    const signer = signerFromSeed(key, TEST_NETWORK)
    const bans = new BanList()
    const { has, found, knows = true } = options
    const turnsAt = { timers: this.time, now: () => this.time.now() }
    const bytes = has?.slice() ?? new Uint8Array(metainfo.sizeBytes)
    const files: PieceFiles = {
      read: async (index, offset, parts) => {
        for (const part of parts) {
          const from = index * PIECE_BYTES + offset
          part.set(lab.spoil(index, offset, bytes.slice(from, from + part.length)))
          offset += part.length
        }
      },
      write: async (index, piece) => {
        bytes.set(piece, index * PIECE_BYTES)
        lab.written.add(index)
      },
      createEmptyFiles: async () => {},
      settle: async () => [],
      close: async () => {},
    }
    const all = [{ first: 0, count: metainfo.pieceCount }]
    const swarm = new PeerSwarm({
      ...{ infoHash: metainfo.infoHash, name, directory: '/', metainfo: knows ? metainfo : undefined },
      ...{ verified: has === undefined ? [] : all, stamps: [], peers: [], corruptPercent: 0, isNew: () => false },
      wanted: { priorities: undefined, sequential: false, isFileWanted: () => true },
      ...{ bans, onThinIce: new Set<PeerId>(), endpoints: new KnownEndpoints() },
      events: {
        described: () => {},
        openDisk: async () => undefined,
        checked: () => {},
        verified: (pieces) => lab.verified.push(...pieces),
        judged: (_, subject, good, bad) => {
          lab.judged.push({ subject, good, bad })
          for (const { index } of bad) lab.onBad(index)
        },
        suspected: (_, index) => lab.onBad(index),
        peer: () => {},
        completed: () => {
          lab.completed += 1
        },
        failed: (error) => lab.failed.push(error.message),
      },
      identity: { ...signer, verify: verifySignature },
      admits: () => true,
      ourPeerId: Buffer.from(`-P20001-${name.padEnd(12).slice(0, 12)}`).toString('hex'),
      ...{
        clock: this.time,
        timers: this.time,
        sha1,
        hash: async (piece) => sha1([piece]),
        checkInfo: async (info) => checkInfo(info, sha1),
      },
      random: this.#random,
      ...{ sources: { public: false, trackers: [], webSeeds: [], dht: false, local: false }, ourPort: () => 0 },
      rates: { downloadBytesPerSecond: 0, uploadBytesPerSecond: 0 },
      ...{
        downloads: new TransferTurns(turnsAt),
        uploads: new TransferTurns(turnsAt),
        sendBuffers: new SendBuffers(),
        uploadSlots: () => 16,
        hasRoom: () => true,
      },
      openFiles: async () => ({
        files,
        found: has === undefined ? undefined : (found ?? bitfieldOf(all, metainfo.pieceCount)),
      }),
      dial: (endpoint) => {
        lab.dials.push(endpoint)
        this.time.after(1, () => swarm.dialEnded(endpoint, false))
      },
      adopt: () => {},
      onRejected: () => {
        lab.rejected += 1
      },
      openSources: () => {
        throw new Error('no torrent of the lab is public')
      },
      onClosed: () => {},
      ...options.swarm,
    })
    const lab: LabPeer = {
      ...{ name, swarm, id: signer.id, bytes, verified: [], judged: [], failed: [], completed: 0, rejected: 0, dials: [] },
      ...{ bans, written: new Set<number>(), onBad: () => {} },
      spoil: (_index, _offset, block) => block,
    }
    return lab
  }

  /** A connection that `from` made. `bytesPerMs`: of what `to` sends. */
  join(
    from: LabPeer,
    to: LabPeer,
    { bytesPerMs = Number.POSITIVE_INFINITY, watch }: { bytesPerMs?: number; watch?: LinkWatch } = {},
  ): { cut(): void } {
    const port = this.#ports++
    const [a, b] = [new MemoryLink(this.time, port, true), new MemoryLink(this.time, port, false)]
    a.other = b
    b.other = a
    b.bytesPerMs = bytesPerMs
    if (watch !== undefined) for (const link of [a, b]) link.watch = watch
    a.attach(from.swarm)
    b.attach(to.swarm)
    a.send(encodeHandshake(Buffer.from(from.swarm.infoHash, 'hex'), Buffer.from(from.swarm.ourPeerId, 'hex')))
    b.send(encodeHandshake(Buffer.from(to.swarm.infoHash, 'hex'), Buffer.from(to.swarm.ourPeerId, 'hex')))
    return { cut: () => a.close() }
  }

  async until(what: string, isTrue: () => boolean, withinMs = 60_000): Promise<void> {
    for (let passed = 0; passed < withinMs; passed += 10) {
      if (isTrue()) return
      await this.time.advance(10)
    }
    throw new Error(`in ${withinMs} ms not true: ${what}`)
  }
}

/** Sees messages as one end sends them, and as they come to the other, before that one does. */
export type LinkWatch = {
  sent(by: MemoryLink, message: Uint8Array): void
  came(to: MemoryLink, message: Uint8Array): void
  closed(end: MemoryLink): void
}

/** One end of a stream. */
export class MemoryLink implements PeerLink {
  readonly host = '10.0.0.1'
  readonly port: number
  readonly outbound: boolean
  other: MemoryLink | undefined
  bytesPerMs = Number.POSITIVE_INFINITY
  /** Everything that was sent, for those who look. */
  readonly sent: Uint8Array[] = []
  unsentBytes = 0
  closed = false
  peer: Peer | undefined
  watch: LinkWatch | undefined
  readonly #leaving = new MessageSplitter({
    handshake: () => {},
    message: (message) => this.watch?.sent(this, message),
    violation: () => {},
  })
  readonly #time: VirtualTime
  #splitter: MessageSplitter | undefined
  #swarm: PeerSwarm | undefined
  #freeAt = 0

  constructor(time: VirtualTime, port: number, outbound: boolean) {
    this.#time = time
    this.port = port
    this.outbound = outbound
  }

  attach(swarm: PeerSwarm): void {
    this.#swarm = swarm
    this.#splitter = new MessageSplitter({
      handshake: (bytes) => {
        const peerId = Buffer.from(bytes.subarray(48)).toString('hex')
        const handshake = { infoHash: bytes.slice(28, 48), peerId: bytes.slice(48), hasExtended: true, hasFast: true }
        this.peer = swarm.joins(this, handshake, peerId)
      },
      message: (message) => {
        this.watch?.came(this, message)
        if (this.peer?.closed === false) this.peer.message(message)
      },
      violation: (what) => {
        if (this.peer !== undefined) swarm.violated(this.peer, what)
      },
    })
  }

  send(given: Uint8Array, onSent?: () => void): void {
    if (this.closed) return
    // What is written to again once it has left must not change what arrives.
    const bytes = onSent === undefined ? given : given.slice()
    if (this.watch === undefined) this.sent.push(bytes)
    else this.#leaving.push(bytes)
    this.unsentBytes += bytes.length
    const now = this.#time.now()
    this.#freeAt = Math.max(this.#freeAt, now) + bytes.length / this.bytesPerMs
    this.#time.after(this.#freeAt - now + LATENCY_MS, () => {
      this.unsentBytes -= bytes.length
      onSent?.()
      this.other?.receive(bytes)
      if (this.peer?.closed === false) this.#swarm?.drained(this.peer)
    })
  }

  receive(bytes: Uint8Array): void {
    if (this.closed) return
    this.#splitter?.push(bytes)
    if (this.peer !== undefined) this.#swarm?.chunkEnds(this.peer)
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.watch?.closed(this)
    if (this.peer !== undefined) this.#swarm?.left(this.peer)
    this.#time.after(LATENCY_MS, () => this.other?.close())
  }
}
