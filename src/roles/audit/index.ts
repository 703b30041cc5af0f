// audit: evidence for others. A bundle holds the signed events from which one node's judgement of a peer follows, with the
// certificates of their authors, under the node's signature (audit-bundle.ts, audit-log.ts); whoever has it comes to the same
// judgement with nothing else (verify-audit.ts).
export { AUDIT_TEXT_BYTES_MAX } from './audit-bundle.ts'
export { type AuditedPeer, type AuditReport, verifyAudit } from './verify-audit.ts'
