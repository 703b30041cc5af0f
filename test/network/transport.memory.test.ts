import type { Clock, Millis, NodeId } from '../../src/events/index.ts'
import { systemClock, systemTimers } from '../../src/events/model/time.system.ts'
import { MemoryNetwork, type MemoryTransport } from '../../src/network/transport.memory.ts'
import { type TransportFixture, transportContract } from './transport.contract.ts'

/** Between any two looks at it a millisecond has passed. */
const hurriedClock = (): Clock => {
  let now = 0
  return { now: () => ++now as Millis }
}

for (const [name, clock] of [
  ['memory', () => systemClock],
  ['memory, whose two ends open in different milliseconds', hurriedClock],
] as const)
  transportContract(name, () => memoryFixture(clock()))

async function memoryFixture(clock: Clock): Promise<TransportFixture> {
  const network = new MemoryNetwork({ clock, timers: systemTimers, random: () => 0.5 })
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
}
