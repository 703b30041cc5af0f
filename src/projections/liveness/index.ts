// liveness: who is alive and where, as the best of all signed words, in an order that all nodes share. Imports events only.
export * from './liveness.ts'
export { MEMBER_KINDS, type MemberState, type RoundTrips } from './member.ts'
