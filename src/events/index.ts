// events: what happened. Event kinds, their envelope and codec, the Lamport clock, canonical order, and the port of
// the log. Imports nothing of the project. Adapters (*.level.ts, *.sodium.ts, *.system.ts) are imported by their own
// path, by roles/compose.ts, tests and benches alone.

export * from './codec/body.ts'
export { BODY_BYTES_MAX, BodyError, STREAMS } from './codec/body-scan.ts'
export * from './codec/bundle.ts'
export { joinBytes } from './codec/join-bytes.ts'
export {
  decodePayload,
  encodePayload,
  type Origin,
  PayloadError,
  PIECES_PER_VERDICT_MAX,
  SCHEDULE_MAX,
  SELECTED_FILES_MAX,
  SOURCE_URL_BYTES_MAX,
  SOURCE_URLS_MAX,
  STAMPS_MAX,
  TAG_BYTES_MAX,
  TAGS_MAX,
  TITLE_BYTES_MAX,
} from './codec/payload.ts'
export * from './codec/upcasting.ts'
export * from './keys/index.ts'
export type * from './keys/joined-network.ts'
export * from './keys/signer.ts'
export * from './log/event-log.ts'
export * from './model/bounded-map.ts'
export * from './model/canonical-order.ts'
export * from './model/envelope.ts'
export * from './model/event.ts'
export * from './model/hex.ts'
export * from './model/ids.ts'
export * from './model/ip-address.ts'
export * from './model/kinds.ts'
export * from './model/lamport-clock.ts'
export * from './model/time.ts'
export { utf8Length } from './model/utf8-length.ts'
export * from './pruning/retention.ts'
export { type AnnounceBudget, AnnounceSchedule, type Visit } from './rules/announce-schedule.ts'
export { boundAnnouncedPeers } from './rules/announced-peers.ts'
export * from './rules/budget-limits.ts'
export * from './rules/budgets.ts'
export * from './rules/content-rules.ts'
export { isKrpcMessage, type MainlineDht } from './rules/krpc-message.ts'
