import type { Stream } from '../model/envelope.ts'

// How much a log keeps of others: docs/adr/0018-budgets.md.

/** A stream that goes to others. */
export type SharedStream = Exclude<Stream, 'local'>

/** Events, and bytes of their payloads. On the disk an event takes about 170 bytes more: header, key, signature, its place. */
export type Kept = { events: number; bytes: number }

export function addKept(kept: Kept, events: number, bytes: number): void {
  kept.events += events
  kept.bytes += bytes
}

/**
 * What may be kept: `stock` from the first hour on, `hourly` more with each hour since, `most` in all. It follows from the age of the
 * invitation and not from when events arrive: so a node that comes late takes at once what the others have, and
 * nothing but what the log holds need be remembered.
 */
export type Limits = { readonly stock: Readonly<Kept>; readonly hourly: Readonly<Kept>; readonly most: Readonly<Kept> }

/**
 * Of one invitation to clients. Gossip: verdicts, about 70 bytes each. A downloader says at most one for each piece, so the
 * stock is 100,000 pieces: 400 GB of 4 MiB pieces before any hour counts, and a verdict mostly tells of several. Index: 20,000
 * titles of 65 characters, 100 bytes each, at once, and 50,000 more with each day. A title takes some 550 bytes of the disk of
 * an index node, log and index, and next to nothing of its memory; 500 bytes of words that nobody else uses ten times as much.
 */
export const CLIENT_LIMITS: { readonly [S in SharedStream]: Limits } = {
  gossip: {
    stock: { events: 100_000, bytes: 12e6 },
    hourly: { events: 3_000, bytes: 400e3 },
    most: { events: 400_000, bytes: 48e6 },
  },
  index: {
    stock: { events: 20_000, bytes: 2e6 },
    hourly: { events: 2_000, bytes: 200e3 },
    most: { events: 400_000, bytes: 40e6 },
  },
}

/**
 * Of all clients together: a multiple of what one invitation has, so that no single one takes the room of the others. An hour
 * brings 20,000 x 170 bytes + 2.6 MB = 6 MB of log; `most` are 1 GB of it, and on an index node as much again for the index of two million
 * titles.
 */
export const CLIENTS_TOGETHER: { readonly [S in SharedStream]: Limits } = {
  gossip: {
    stock: { events: 400_000, bytes: 48e6 },
    hourly: { events: 10_000, bytes: 1.6e6 },
    most: { events: 1_600_000, bytes: 192e6 },
  },
  index: {
    stock: { events: 200_000, bytes: 20e6 },
    hourly: { events: 10_000, bytes: 1e6 },
    most: { events: 2_000_000, bytes: 200e6 },
  },
}

/**
 * Renewals of offers that are taken beyond each of these: five of an author are kept at most, so they are those of two hundred
 * authors whose publications have used up all. In an open network, and of all clients together, it is as many: who comes late may
 * have to wait for an hour's growth.
 */
export const RENEWALS_BEYOND = 1_000

/** In an open network whoever comes without an invitation shares one budget: so many times that of an invitation. */
export const OPEN_TIMES = 3

/**
 * Of one member. Gossip: words about members, some 60 bytes. An hour has
 * room for 1,200 members that are suspected and held dead by this one; old words are pruned after a week (ADR 11).
 */
export const MEMBER_LIMITS: { readonly [S in SharedStream]: Limits } = {
  gossip: {
    stock: { events: 50_000, bytes: 5e6 },
    hourly: { events: 2_500, bytes: 250e3 },
    most: { events: 20_000_000, bytes: 2e9 },
  },
  index: CLIENT_LIMITS.index,
}

const HOUR_MS = 3_600_000

/** What may be kept at this age, a multiple of it where several share. */
export function allowance({ stock, hourly, most }: Limits, ageMs: number, times = 1): Kept {
  const hours = Math.max(0, ageMs) / HOUR_MS
  const of = (what: keyof Kept): number => Math.floor(times * Math.min(most[what], stock[what] + hours * hourly[what]))
  return { events: of('events'), bytes: of('bytes') }
}

/** Disk bytes of what is kept, about. */
const EVENT_OVERHEAD_BYTES = 170
export const diskBytesOf = ({ events, bytes }: Readonly<Kept>): number => events * EVENT_OVERHEAD_BYTES + bytes
