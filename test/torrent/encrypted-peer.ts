import { randomBytes } from 'node:crypto'
import { connect, createServer, type Socket } from 'node:net'
import { fromHex, type InfoHash } from '../../src/events/index.ts'
import { systemDhKeys } from '../../src/torrent/encryption/dh.system.ts'
import {
  hashOfSkey,
  MseInitiator,
  type MseMethods,
  MseResponder,
  type MseStep,
  sniff,
} from '../../src/torrent/encryption/index.ts'
import { sha1 } from '../../src/torrent/sha1.system.ts'
import type { Lab } from './engine-fixture.ts'
import { handshake } from './raw-peer.ts'

// Peers with an encrypted handshake, written by hand: one that dials an engine, and one that an engine dials.

const keys = systemDhKeys()

type Done = Extract<MseStep, { state: 'done' }>

/** Feeds one side from a socket until it is done; what comes after goes to `heard`, in the clear. */
function follow(socket: Socket, side: MseInitiator | MseResponder, heard: Buffer[]): Promise<Done> {
  return new Promise((resolve, reject) => {
    let done: Done | undefined
    socket.on('data', (bytes: Buffer) => {
      if (done !== undefined) {
        heard.push(done.decrypt === undefined ? bytes : Buffer.from(done.decrypt.apply(bytes)))
        return
      }
      const step = side.receive(bytes)
      if (step.send !== undefined) socket.write(step.send)
      if (step.state === 'failed') reject(new Error(step.reason))
      if (step.state !== 'done') return
      done = step
      heard.push(Buffer.from(step.incoming))
      resolve(step)
    })
    socket.once('close', () => reject(new Error('closed')))
  })
}

/** Dials an engine with an encrypted handshake; rejects where that does not come to an end. */
export async function dialled(infoHash: InfoHash, port: number, offer: MseMethods, cut = 0) {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  const heard: Buffer[] = []
  const mse = new MseInitiator({
    ...{ infoHash: fromHex(infoHash), offer, initialPayload: handshake(infoHash, { extended: false }) },
    ...{ keys, randomBytes, sha1 },
  })
  const following = follow(socket, mse, heard)
  const hello = Buffer.from(mse.start())
  if (cut > 0) {
    socket.write(hello.subarray(0, cut))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  socket.write(hello.subarray(cut))
  const done = await following
  const send = (bytes: Uint8Array) =>
    socket.write(done.encrypt === undefined ? bytes : done.encrypt.apply(Uint8Array.from(bytes)))
  return { socket, send, done, bytes: () => Buffer.concat(heard) }
}

/** Is dialled by an engine, notes how it opens, and hangs up on whoever does not open as it wants. */
export async function listening(lab: Lab, infoHash: InfoHash, accept: MseMethods, wants: 'plain' | 'encrypted') {
  const openings: ('plain' | 'encrypted' | 'more')[] = []
  const heard: Buffer[] = []
  const agreed: Done[] = []
  const wanted = fromHex(infoHash)
  const infoHashOf = (key: Uint8Array) => (Buffer.from(hashOfSkey(sha1, wanted)).equals(key) ? wanted : undefined)
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (first: Buffer) => {
      const opening = sniff(first)
      openings.push(opening)
      if (opening !== wants) socket.destroy()
      else if (opening === 'plain') heard.push(first)
      else {
        const following = follow(socket, new MseResponder({ infoHashOf, accept, keys, randomBytes, sha1 }), heard)
        socket.emit('data', first)
        following.then(
          (done) => agreed.push(done),
          () => {},
        )
      }
    })
    lab.defer(async () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  lab.defer(async () => server.close())
  const { port } = server.address() as { port: number }
  return { port, heard, openings, agreed }
}
