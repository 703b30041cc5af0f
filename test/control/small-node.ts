import type { Services } from '../../src/control/index.ts'
import { LogError } from '../../src/events/index.ts'
import type { NodeService } from '../../src/roles/index.ts'
import { ServiceError } from '../../src/roles/index.ts'

// A small real service for the socket's own tests: it does what its calls say, with no node behind it.

export type SmallNode = {
  services: Services
  handedOut(): number
  endedStreams(): number
  stops(): number
  explained(): number
}

export function smallNode(): SmallNode {
  let handedOut = 0
  let ended = 0
  let stops = 0
  let explained = 0
  const row = (seq: number) => ({ seq, text: 'x'.repeat(100) })

  async function* manyRows(limit: number) {
    try {
      for (let seq = 1; seq <= limit; seq += 1) {
        handedOut = seq
        yield row(seq)
      }
    } finally {
      ended += 1
    }
  }

  /** Gives one item and then sleeps, as a live listing does; `return` wakes it. */
  function sleeping() {
    let given = false
    let close = () => {}
    const closed = new Promise<void>((resolve) => {
      close = resolve
    })
    return {
      async next() {
        if (!given) {
          given = true
          return { done: false, value: { at: 1, level: 'info', code: 'first', text: 'first' } }
        }
        await closed
        return { done: true, value: undefined }
      },
      async return() {
        ended += 1
        close()
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  const node = {
    status: async () => ({ id: 'ab', ready: true, pid: process.pid, role: 'client' }),
    stop: async () => {
      stops += 1
    },
    place: async () => ({ seq: 0, lamport: 0, at: null }),
    scores: async () => [],
    ban: async (peer: string, reason: string) => ({ peer, because: reason }),
    explain: async (peer: string) => {
      explained += 1
      if (peer === 'usage') throw new ServiceError('usage', 'no such peer')
      if (peer === 'damaged') throw new LogError({ code: 'LOG_DAMAGED', ranges: [{ from: 2, to: 3, what: 'missing' }] })
      if (peer === 'bug') throw new TypeError('undefined is not a function')
      if (peer === 'thrown') throw 'a text'
      if (peer === 'cycle') {
        const cycle: Record<string, unknown> = {}
        cycle.self = cycle
        return cycle
      }
      return { peer }
    },
    digests: async (options: { at?: number }) => ({ at: options.at ?? 'left out', digests: {} }),
    events: ({ limit }: { limit?: number }) => manyRows(limit ?? 3),
    async *verify() {
      yield { done: 1, total: 2 }
      yield { done: 2, total: 2 }
      return { intact: true }
    },
    async *rebuild() {
      yield { done: 1 }
      throw new ServiceError('failed', 'the disk is full')
    },
    notices: sleeping,
  }
  return {
    services: { node: node as unknown as NodeService, index: undefined, client: undefined },
    handedOut: () => handedOut,
    endedStreams: () => ended,
    stops: () => stops,
    explained: () => explained,
  }
}
