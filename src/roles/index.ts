// roles: what a node is for. What bootstrap, index and client nodes have in common (node.ts), what each adds, and
// compose.ts, the one place where adapters are chosen and wired. Imports network, torrent, projections and events.
export * from './services.ts'
