// control: how a running node is asked. JSON-RPC 2.0, one message a line, over a unix socket in the data directory.
// methods.ts is the table of what can be asked; server.ts carries it out, client.ts asks. Imports roles and below.
export * from './client.ts'
export * from './control-error.ts'
export * from './methods.ts'
export * from './server.ts'
export { CONTROL_SOCKET } from './socket-path.ts'
