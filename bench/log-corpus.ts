import type { InfoHash, NodeId, SignedEvent, UnsignedEvent } from '../src/events/index.ts'
import { type Lamport, type Millis, signEvent } from '../src/events/index.ts'
import { signerFromSeed } from '../src/events/keys/signer.sodium.ts'
import { TEST_NETWORK } from '../test/events/test-network.ts'

// Events as a network makes them: 50 authors, mostly verdicts and changes of members, 160 to 210 bytes stored.

const AUTHORS = 50

const hexOf = (number: number, digits: number): string =>
  (Math.imul(number + 1, -1_640_531_535) >>> 0)
    .toString(16)
    .padStart(8, '0')
    .repeat(digits / 8)
const subjectOf = (number: number): NodeId => hexOf(number % 997, 64) as NodeId
const infoHashOf = (number: number): InfoHash => hexOf(number % 61, 40) as InfoHash

export const signerOf = (number: number): ReturnType<typeof signerFromSeed> => {
  const seed = new Uint8Array(32)
  new DataView(seed.buffer).setUint32(0, number + 1)
  return signerFromSeed(seed, TEST_NETWORK)
}

export function verdict(number: number): UnsignedEvent {
  return {
    stream: 'gossip',
    event: {
      kind: 'piece.judged',
      subject: subjectOf(number),
      infoHash: infoHashOf(number),
      good: [{ first: number % 1000, count: 16 }],
      bad: [],
    },
  }
}

/** One verdict in four, the rest changes of members. */
export function mixed(number: number): UnsignedEvent {
  return number % 4 === 0 ? verdict(number) : change(number)
}

/** A change of a member. */
export function change(number: number): UnsignedEvent {
  const kinds = ['member.alive', 'member.suspect', 'member.dead'] as const
  return {
    stream: 'gossip',
    event: {
      kind: kinds[number % 3] ?? 'member.alive',
      subject: subjectOf(number),
      incarnation: number,
      role: 'client',
      host: '192.168.100.1',
      port: 49_737,
      dhtPort: 0,
    },
  }
}

/** `count` signed events with rising stamps, each author's numbered from 1. */
export function signedEvents(count: number, draft: (number: number) => UnsignedEvent): SignedEvent[] {
  const authors = Array.from({ length: AUTHORS }, (_, number) => signerOf(number))
  const events: SignedEvent[] = []
  for (let number = 0; number < count; number++) {
    const signer = authors[number % AUTHORS]
    if (signer === undefined) continue
    const stamp = {
      lamport: (number + 1) as Lamport,
      authorSeq: Math.floor(number / AUTHORS) + 1,
      at: (1.8e12 + number) as Millis,
    }
    events.push(signEvent(draft(number), stamp, signer))
  }
  return events
}
