export * from './liveness.ts'
export { MEMBER_KINDS, type MemberState, type RoundTrips } from './member.ts'
