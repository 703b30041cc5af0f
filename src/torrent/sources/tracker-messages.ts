import { decodePrefix } from '../bencode.ts'
import { endpointOf } from '../endpoint.ts'
import { peersOfCompact } from '../wire/compact-peers.ts'

// What is said to a tracker and what it answers: BEP 3, 7, 23 over HTTP, BEP 15 over UDP. Pure; whatever an answer holds is
// either read within bounds or a sentence about what is wrong with it.

export type TrackerEvent = 'started' | 'completed' | 'stopped' | undefined

export type Announcement = {
  /** 20 bytes each. */
  infoHash: Uint8Array
  peerId: Uint8Array
  port: number
  uploadedBytes: number
  downloadedBytes: number
  leftBytes: number
  event: TrackerEvent
  /** Peers that are wanted. */
  wanted: number
  /** Tells a client again whose address has changed. */
  key: number
}

export type TrackerAnswer = {
  /** ms */
  intervalMs: number
  seeders: number | undefined
  leechers: number | undefined
  /** `host:port` */
  peers: readonly string[]
  /** What it wants a person to know. */
  warning: string | undefined
}

export class TrackerError extends Error {
  override readonly name = 'TrackerError'
}

const PEERS_MAX = 200
const TEXT_MAX = 200
/** An interval below it would be a flood, one above it would lose the peers. */
const INTERVAL_MS = { least: 60_000, most: 7_200_000, unnamed: 1_800_000 }

export const ANSWER_BYTES_MAX = 256 * 1024

/** The announce URL with its query. */
export function announceUrl(tracker: string, announcement: Announcement): string {
  const { infoHash, peerId, port, uploadedBytes, downloadedBytes, leftBytes, event, wanted, key } = announcement
  const query = [
    `info_hash=${percentEncoded(infoHash)}`,
    `peer_id=${percentEncoded(peerId)}`,
    `port=${port}&uploaded=${uploadedBytes}&downloaded=${downloadedBytes}&left=${leftBytes}`,
    `compact=1&numwant=${event === 'stopped' ? 0 : wanted}&key=${key.toString(16).padStart(8, '0')}`,
    ...(event === undefined ? [] : [`event=${event}`]),
  ].join('&')
  return `${tracker}${tracker.includes('?') ? '&' : '?'}${query}`
}

/** @throws TrackerError */
export function readHttpAnswer(bytes: Uint8Array): TrackerAnswer {
  let answer: unknown
  try {
    answer = decodePrefix(bytes).value
  } catch {
    throw new TrackerError('its answer is no bencode')
  }
  if (!(answer instanceof Map)) throw new TrackerError('its answer is no dictionary')
  const failure = textOf(answer.get('failure reason'))
  if (failure !== undefined) throw new TrackerError(`it refuses: ${failure}`)
  const intervals = [answer.get('min interval'), answer.get('interval')].filter((each) => typeof each === 'number')
  return {
    intervalMs: boundedInterval(intervals.length === 0 ? undefined : Math.max(...(intervals as number[]))),
    seeders: countOf(answer.get('complete')),
    leechers: countOf(answer.get('incomplete')),
    peers: [...peersOf(answer.get('peers')), ...compactPeers(answer.get('peers6'), 6)].slice(0, PEERS_MAX),
    warning: textOf(answer.get('warning message')),
  }
}

// UDP

const PROTOCOL_ID = 0x41727101980n
const CONNECT = 0
const ANNOUNCE = 1
const FAILED = 3
const EVENTS = { completed: 1, started: 2, stopped: 3 } as const

export function udpConnect(transaction: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(16))
  bytes.setBigUint64(0, PROTOCOL_ID)
  bytes.setUint32(8, CONNECT)
  bytes.setUint32(12, transaction)
  return new Uint8Array(bytes.buffer)
}

export function udpAnnounce(connection: bigint, transaction: number, announcement: Announcement): Uint8Array {
  const { infoHash, peerId, port, uploadedBytes, downloadedBytes, leftBytes, event, wanted, key } = announcement
  const bytes = new DataView(new ArrayBuffer(98))
  const array = new Uint8Array(bytes.buffer)
  bytes.setBigUint64(0, connection)
  bytes.setUint32(8, ANNOUNCE)
  bytes.setUint32(12, transaction)
  array.set(infoHash, 16)
  array.set(peerId, 36)
  bytes.setBigUint64(56, BigInt(downloadedBytes))
  bytes.setBigUint64(64, BigInt(leftBytes))
  bytes.setBigUint64(72, BigInt(uploadedBytes))
  bytes.setUint32(80, event === undefined ? 0 : EVENTS[event])
  bytes.setUint32(88, key)
  bytes.setInt32(92, event === 'stopped' ? 0 : wanted)
  bytes.setUint16(96, port)
  return array
}

/**
 * @param family of the tracker's own address: its peers have the same
 * @returns undefined for a datagram that answers something else
 * @throws TrackerError
 */
export function readUdpAnswer(
  bytes: Uint8Array,
  transaction: number,
  family: 4 | 6,
): { connection: bigint } | TrackerAnswer | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 8 || view.getUint32(4) !== transaction) return undefined
  const action = view.getUint32(0)
  if (action === FAILED) throw new TrackerError(`it refuses: ${textOf(bytes.subarray(8)) ?? 'without a reason'}`)
  if (action === CONNECT && bytes.length >= 16) return { connection: view.getBigUint64(8) }
  if (action !== ANNOUNCE || bytes.length < 20) throw new TrackerError('its answer is too short, or none that was asked for')
  return {
    intervalMs: boundedInterval(view.getUint32(8)),
    leechers: view.getUint32(12),
    seeders: view.getUint32(16),
    peers: peersOfCompact(bytes.subarray(20), family, PEERS_MAX),
    warning: undefined,
  }
}

function boundedInterval(seconds: number | undefined): number {
  if (seconds === undefined || !(seconds > 0)) return INTERVAL_MS.unnamed
  return Math.min(INTERVAL_MS.most, Math.max(INTERVAL_MS.least, seconds * 1_000))
}

function peersOf(value: unknown): string[] {
  if (value instanceof Uint8Array) return compactPeers(value, 4)
  if (!Array.isArray(value)) return []
  return value.slice(0, PEERS_MAX).flatMap((peer: unknown) => {
    if (!(peer instanceof Map)) return []
    const host = textOf(peer.get('ip'))
    const port = countOf(peer.get('port')) ?? 0
    // A name would be looked up for a stranger.
    if (host === undefined || !/^[0-9a-f.:]+$/i.test(host) || !(port > 0 && port < 65_536)) return []
    return [endpointOf(host, port)]
  })
}

const compactPeers = (value: unknown, family: 4 | 6): string[] =>
  value instanceof Uint8Array ? peersOfCompact(value, family, PEERS_MAX) : []

function textOf(value: unknown): string | undefined {
  if (!(value instanceof Uint8Array) || value.length === 0) return undefined
  return new TextDecoder().decode(value.subarray(0, TEXT_MAX))
}

const countOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined

const percentEncoded = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
