import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

const HOST = '127.0.0.1'

/** A port P of loopback where UDP P, UDP P + 1 and TCP P are all free now: what one node binds. */
export async function freeNodePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = await systemPort()
    if (port < 65_000 && (await udpIsFree(port)) && (await udpIsFree(port + 1)) && (await tcpIsFree(port))) return port
  }
  throw new Error(`no free ports on ${HOST}`)
}

function systemPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.once('error', reject)
    socket.bind(0, HOST, () => {
      const { port } = socket.address()
      socket.close(() => resolve(port))
    })
  })
}

function udpIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4')
    socket.once('error', () => resolve(false))
    socket.bind(port, HOST, () => socket.close(() => resolve(true)))
  })
}

function tcpIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, HOST, () => server.close(() => resolve(true)))
  })
}
