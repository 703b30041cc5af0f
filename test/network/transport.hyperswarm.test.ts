import { randomBytes } from 'node:crypto'
import { systemClock, systemTimers } from '../../src/events/time.system.ts'
import { createHyperswarmTransport, type HyperswarmTransport } from '../../src/network/transport.hyperswarm.ts'
import { transportContract } from './transport.contract.ts'

transportContract('hyperswarm', async () => {
  const created: HyperswarmTransport[] = []
  return {
    async create() {
      const transport = createHyperswarmTransport({
        seed: randomBytes(32),
        role: 'index',
        host: '127.0.0.1',
        port: 0,
        bootstrap: [],
        clock: systemClock,
        timers: systemTimers,
        limits: { dialTimeoutMs: 1_500 },
      })
      created.push(transport)
      return transport
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(created.map((transport) => transport[Symbol.asyncDispose]()))
    },
  }
})
