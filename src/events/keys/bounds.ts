// Longest encoded forms, in bytes: a record with every field at its maximum fits.
export const GENESIS_BYTES_MAX = 256
export const INVITATION_BYTES_MAX = 160
export const CREDENTIAL_BYTES_MAX = 320
export const REVOCATION_BYTES_MAX = 192

/** Longest name of a network or an invitation, in UTF-8 bytes. */
export const NAME_BYTES_MAX = 64
/** Longest reason of a revocation, in UTF-8 bytes. */
export const REASON_BYTES_MAX = 128
