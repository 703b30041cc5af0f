// encryption: how a connection of BitTorrent is made to look like noise (Message Stream Encryption, also called Protocol
// Encryption). Both sides of the handshake, the cipher and the look at the first bytes; no sockets, no timers. Imports
// events and the types of torrent. The adapter dh.system.ts is imported by its own path. It hides the protocol from
// whoever filters by it; it is no protection of what is said: the info hash is the only secret, and RC4 is broken.
export type { DhKeys, DhPair } from './dh-keys.ts'
export type { MseMethod, MseMethods, MseStep, RandomBytes } from './mse-handshake.ts'
export type { MseInitiatorOptions } from './mse-initiator.ts'
export { MseInitiator } from './mse-initiator.ts'
export type { MseResponderOptions } from './mse-responder.ts'
export { MseResponder } from './mse-responder.ts'
export { hashOfSkey } from './mse-secrets.ts'
export { Rc4 } from './rc4.ts'
export { sniff } from './sniff.ts'
