import type { Envelope, EventLog, SignedEvent } from '../../events/index.ts'

/** Reads the signed bytes of events named by (author, author sequence) in the index stream; those not held are left out. */
export async function signedIndexEvents(
  log: Pick<EventLog, 'readSigned'>,
  names: readonly { author: Envelope['author']; authorSeq: number }[],
): Promise<SignedEvent[]> {
  const found: SignedEvent[] = []
  for (const { author, authorSeq } of names) {
    for await (const event of log.readSigned(author, 'index', authorSeq, authorSeq)) found.push(event)
  }
  return found
}
