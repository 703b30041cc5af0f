// admissions: who was let into the network, by which invitation, and whose admission the owner took back.
export * from './admissions.ts'
export { isLongRevoked, KEPT_AFTER_REVOCATION_MS, revokedSince } from './long-revoked.ts'
export { comesTooLate, hasPlace } from './member-places.ts'
