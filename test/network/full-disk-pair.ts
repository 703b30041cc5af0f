// Two nodes that are linked in memory; the log of the second is a real one, in DIRECTORY, and its process may be kept from
// writing: node full-disk-pair.ts DIRECTORY. Fills the log until it cannot be written, has the first node hold the second dead,
// links them again, prints "dead" once the second has tried in vain to refute, and "alive" when the first believes it alive.

import { type AppendOptions, type Draft, type EventLog, LogError, type NodeId } from '../../src/events/index.ts'
import { openLevelLog } from '../../src/events/log/event-log.level.ts'
import { openMemoryLog } from '../../src/events/log/event-log.memory.ts'
import { systemClock, systemTimers } from '../../src/events/model/time.system.ts'
import { createOverlay } from '../../src/network/runtime.ts'
import { MemoryNetwork } from '../../src/network/transport.memory.ts'
import { noUpcast, signerOf } from '../events/samples.ts'
import { verifySignature } from '../events/test-network.ts'
import { OPEN_RULES } from './open-rules.ts'

const [directory = ''] = process.argv.slice(2)
const [witness, victim] = [signerOf(1), signerOf(2)]
const common = { clock: systemClock, timers: systemTimers, random: Math.random }
const network = new MemoryNetwork({ ...common, discoveredLinks: 1, linkTimeoutMs: 200 })
const tools = { signer: victim, clock: systemClock, upcast: noUpcast }
const real = await openLevelLog({ directory, ...tools, create: true })

/** Refutations that the log did not take. */
let failed = 0
const append = real.append.bind(real)
const log: EventLog = Object.assign(real, {
  async append(drafts: readonly Draft[], options?: AppendOptions) {
    try {
      return await append(drafts, options)
    } catch (error) {
      if (drafts.some(({ event }) => event.kind === 'member.refuted')) failed += 1
      throw error
    }
  },
})

const started = async (id: NodeId, its: EventLog, port: number) => {
  const transport = network.create(id, { host: '10.0.0.1', port })
  const about = { role: 'index', software: 'test', incarnation: 1, verify: verifySignature, rules: OPEN_RULES } as const
  const overlay = createOverlay({ ...common, ...about, transport, log: its, appender: its })
  await overlay.start(new AbortController().signal)
  return overlay
}
const memory = openMemoryLog({ signer: witness, clock: systemClock, upcast: noUpcast })
const first = await started(witness.id, memory, 1)
const second = await started(victim.id, log, 2)

const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await condition())) await new Promise((resolve) => systemTimers.after(20, () => resolve(undefined)))
}
const isBelieved = (state: string) => () => first.member(victim.id)?.state === state

await until(isBelieved('alive'))
for (let isFull = false; !isFull; ) {
  try {
    await append([{ event: { kind: 'node.stopped', reason: 'x'.repeat(200) } }])
  } catch (error) {
    if (!(error instanceof LogError) || error.code !== 'LOG_WRITE_FAILED') throw error
    isFull = true
  }
}
network.partition((id) => (id === witness.id ? 1 : 2))
await until(isBelieved('dead'))
network.heal()
await until(() => failed > 0)
/** Its refutation is what those go by who do not hear from it themselves. */
const isTold = async (): Promise<boolean> => {
  for await (const { author } of memory.read({ kinds: ['member.refuted'] })) if (author === victim.id) return true
  return false
}
process.stdout.write(`${(await isTold()) ? 'told' : 'untold'}\n`)
await until(isTold)
await until(isBelieved('alive'))
process.stdout.write('told\n')
await Promise.all([first.stop(), second.stop()])
await log[Symbol.asyncDispose]()
