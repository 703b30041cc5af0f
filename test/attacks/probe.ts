// Preloaded into the honest nodes (node --import): answers on the unix socket P2PT_PROBE_SOCKET what only the process itself
// knows. Each connection gets one line, and the delays begin anew with it.
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread } from 'node:worker_threads'

/**
 * `keptBytes`: heap and buffers after a collection; `residentBytes`: what is resident when the heap has given back what it does not
 * use. Delays of the event loop in ms, since the last reading. `turnMsMax`: of processor time that its thread had between two turns
 * of its timers, which is what a delay comes to on a machine that has nothing else to do.
 */
export type Reading = {
  keptBytes: number
  residentBytes: number
  delayMsP99: number
  delayMsMax: number
  turnMsMax: number
}

const RESOLUTION_MS = 10

const path = process.env.P2PT_PROBE_SOCKET
if (isMainThread && path !== undefined) {
  setFlagsFromString('--expose-gc')
  const collect: (options?: object) => void = runInNewContext('gc')
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delays.enable()
  let turnMsMax = 0
  let turnAt = process.threadCpuUsage()
  const turnEnds = () => {
    const { user, system } = process.threadCpuUsage(turnAt)
    turnMsMax = Math.max(turnMsMax, (user + system) / 1_000 - RESOLUTION_MS)
    turnAt = process.threadCpuUsage()
  }
  setInterval(turnEnds, RESOLUTION_MS).unref()
  // The histogram holds the time between two looks, of which the resolution is no delay.
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)
  // An earlier run that was killed has left its socket.
  rmSync(path, { force: true })
  createServer((socket) => {
    turnEnds()
    const turn = turnMsMax
    const [delayMsP99, delayMsMax] = delays.count === 0 ? [0, 0] : [late(delays.percentile(99)), late(delays.max)]
    socket.on('error', () => {})
    collect()
    // Buffers of native parts are given back by finalizers, which run a turn later, and are counted at the next collection.
    setImmediate(() => {
      collect()
      const { heapUsed, external } = process.memoryUsage()
      // Free pages stay with the heap for later, as many as an attack has once needed.
      collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
      const residentBytes = process.memoryUsage.rss()
      const reading: Reading = { keptBytes: heapUsed + external, residentBytes, delayMsP99, delayMsMax, turnMsMax: turn }
      socket.end(JSON.stringify(reading))
      // The collections are ours: they are no delay of the node's.
      setImmediate(() => {
        delays.reset()
        turnAt = process.threadCpuUsage()
        turnMsMax = 0
      })
    })
  })
    .listen(path)
    .unref()
}
