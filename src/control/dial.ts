import { createConnection, type Socket } from 'node:net'

/** Connects to a unix socket; rejects with the system's error (ENOENT, ECONNREFUSED: nobody is there). */
export function dial(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      // Whoever reads it sees the error; one between two reads must not end the process.
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}
