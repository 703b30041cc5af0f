// roles: what a node is for. What all nodes have in common (node/), what index nodes (index-node/) and clients (client/)
// add, and compose.ts, the one place where adapters are chosen and wired. services.ts is what a running node can be asked.
// Imports network, torrent, projections and events.
export * from './services.ts'
