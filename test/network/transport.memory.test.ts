import type { NodeId } from '../../src/events/index.ts'
import { systemClock, systemTimers } from '../../src/events/time.system.ts'
import { MemoryNetwork, type MemoryTransport } from '../../src/network/transport.memory.ts'
import { transportContract } from './transport.contract.ts'

transportContract('memory', async () => {
  const network = new MemoryNetwork({ clock: systemClock, timers: systemTimers, random: () => 0.5 })
  const created: MemoryTransport[] = []
  return {
    async create(door) {
      const index = created.length + 1
      const transport = network.create(index.toString(16).padStart(64, '0') as NodeId, { host: '127.0.0.1', port: index }, door)
      created.push(transport)
      return transport
    },
    async [Symbol.asyncDispose]() {
      for (const transport of created) await transport[Symbol.asyncDispose]()
    },
  }
})
