// events: what happened. Event kinds, their envelope and codec, the Lamport clock, canonical order, and the port of
// the log. Imports nothing of the project. Adapters (*.level.ts, *.sodium.ts, *.system.ts) are imported by their own
// path, by roles/compose.ts, tests and benches alone.
export { boundAnnouncedPeers } from './announced-peers.ts'
export * from './body.ts'
export { BODY_BYTES_MAX, BodyError, STREAMS } from './body-scan.ts'
export * from './bounded-map.ts'
export * from './budget-limits.ts'
export * from './budgets.ts'
export * from './bundle.ts'
export * from './canonical-order.ts'
export type * from './content-rules.ts'
export * from './envelope.ts'
export * from './event.ts'
export * from './event-log.ts'
export * from './hex.ts'
export * from './ids.ts'
export * from './ip-address.ts'
export type * from './joined-network.ts'
export * from './keys/index.ts'
export * from './kinds.ts'
export * from './lamport-clock.ts'
export {
  decodePayload,
  encodePayload,
  type Origin,
  PayloadError,
  PIECES_PER_VERDICT_MAX,
  STAMPS_MAX,
  TAGS_MAX,
  TITLE_LENGTH_MAX,
} from './payload.ts'
export * from './retention.ts'
export * from './signer.ts'
export * from './time.ts'
export * from './upcasting.ts'
