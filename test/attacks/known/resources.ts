import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import HyperDHT from 'hyperdht'
import { INDEX_METHODS } from '../../../src/roles/index-node/index-messages.ts'
import type { Attack } from '../stage.ts'

const IDLE_CONNECTIONS = 100
const REQUESTS_AT_ONCE = 20
const DATAGRAMS_AT_ONCE = 100

/** Connections that open no channel, requests that nobody answers, and datagrams of noise. */
export const spentResources: Attack = async (stage) => {
  const attackers = await stage.attackers()
  const { nodes } = stage.network
  const idle = new HyperDHT({ host: '127.0.0.1', bootstrap: [], firewalled: false })
  const noise = createSocket('udp4')
  const connect = (turn: number): void => {
    const node = nodes[turn % nodes.length]
    if (node === undefined || stage.signal.aborted) return
    const keyPair = HyperDHT.keyPair()
    const stream = idle.connect(Buffer.from(node.id, 'hex'), { relayAddresses: [stage.network.endpoint(node)], keyPair })
    stream.on('error', () => {})
    // The node closes it: the next one.
    stream.on('close', () => setTimeout(connect, 1_000, turn))
  }
  try {
    for (let turn = 0; turn < IDLE_CONNECTIONS; turn++) connect(turn)
    let id = 0
    await stage.again(100, async () => {
      for (const node of nodes) {
        const { host, port } = stage.network.endpoint(node)
        for (let count = 0; count < DATAGRAMS_AT_ONCE / nodes.length; count++) {
          noise.send(randomBytes(1 + Math.floor(Math.random() * 1_000)), port, host)
        }
      }
      for (const attacker of attackers) {
        await attacker.linkAll()
        for (const peer of attacker.linked) {
          for (let count = 0; count < REQUESTS_AT_ONCE / attackers.length; count++) {
            const method = count % 2 === 0 ? INDEX_METHODS.search : 'no.such-method'
            attacker.send(peer, { type: 'request', id: ++id, method, body: randomBytes(100) })
          }
        }
      }
    })
  } finally {
    noise.close()
    await idle.destroy({ force: true })
  }
}
