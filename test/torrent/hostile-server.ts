import type { Socket } from 'node:net'
import { createServer } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'

// A peer that waits to be dialled: it lets the other side's handshake come, and then sends its bytes in these chunks.

export type HostileServer = AsyncDisposable & {
  readonly port: number
  /** Connections that were made to it and are closed again. */
  readonly closed: number
}

export async function hostileServer(chunksOf: () => readonly Uint8Array[]): Promise<HostileServer> {
  const sockets = new Set<Socket>()
  let closed = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.once('close', () => {
      sockets.delete(socket)
      closed++
    })
    socket.once('data', () => void sendAll(socket, chunksOf()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    get closed() {
      return closed
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Each chunk in a segment of its own, as far as that is in a sender's hands. */
export async function sendAll(socket: Socket, chunks: readonly Uint8Array[]): Promise<void> {
  for (const chunk of chunks) {
    if (socket.destroyed) return
    socket.write(chunk)
    await turn()
  }
}

/** The same bytes cut at these places. */
export function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set([...places, bytes.length])].filter((at) => at > 0 && at <= bytes.length).sort((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}
