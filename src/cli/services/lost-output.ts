/**
 * Calls `lost` when stdout takes no more: its reader went (EPIPE) or its terminal was closed (EIO). From then on, and
 * after `dispose` too, what is written goes nowhere and ends nothing. Commands without this end at once when it happens
 * (bin/execute.js), which fits all that have nothing to put in order.
 */
export function onOutputLost(lost: (error: NodeJS.ErrnoException) => void): Disposable {
  let listens = true
  // The others end the process: bin/execute.js's at once, oclif's by throwing what is not EPIPE.
  process.stdout.removeAllListeners('error')
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (listens) lost(error)
  })
  return {
    [Symbol.dispose]() {
      listens = false
    },
  }
}
