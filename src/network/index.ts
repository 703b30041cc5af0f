// network: how nodes talk. Gossip, membership and the messenger as I/O-less protocols; the runtime that carries their
// effects out; the hyperswarm transport and the Mainline DHT as adapters. Imports events only.
export { NetworkError, type NetworkErrorCode } from './network-error.ts'
export * from './overlay.ts'
export * from './overlay-options.ts'
export * from './peer-streams.ts'
export * from './protocol.ts'
export { createOverlay } from './runtime.ts'
export * from './transport.ts'
