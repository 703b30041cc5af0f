// A peer with a key of its own that connects to a transport and then does not keep to the protocol.
// As a process: node hostile-peer.ts KEY_HEX PORT flood|fuzz|deaf|quiet [OWNER_FOLDER]; it ends when its connection does. With
// the folder of a network's owner it has an invitation: one of its own clients that means no good.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import HyperDHT from 'hyperdht'
import Protomux from 'protomux'
import type { Millis, NodeId } from '../../src/events/index.ts'
import { openOwnerFolder } from '../../src/roles/owner/owner-folder.fs.ts'

export type HostilePeer = {
  readonly key: string
  readonly stream: HyperDHT.SecretStream
  /** Resolves when the connection ends, however it ends. */
  readonly closed: Promise<void>
  /** Opens the channel as an honest peer does, with this credential. @returns sends one message on it */
  open(credential?: Uint8Array): Promise<(bytes: Uint8Array) => boolean>
  /**
   * Opens the channel with this credential and sends all of these at once, before anybody has let anybody in.
   * @param letsIn says 0, whoever the victim is
   * @returns the byte that the victim answers with; undefined if it says nothing before the end
   */
  rush(credential: Uint8Array, messages: readonly Uint8Array[], letsIn: boolean): Promise<number | undefined>
  close(): Promise<void>
}

export async function hostilePeer(victimKey: string, port: number, seed?: Buffer): Promise<HostilePeer> {
  const keyPair = HyperDHT.keyPair(seed)
  const dht = new HyperDHT({ host: '127.0.0.1', bootstrap: [], keyPair, firewalled: false })
  const stream = dht.connect(Buffer.from(victimKey, 'hex'), { relayAddresses: [{ host: '127.0.0.1', port }], keyPair })
  stream.on('error', () => {})
  const closed = new Promise<void>((resolve) => stream.on('close', () => resolve()))
  try {
    await once(stream, 'open')
  } catch (refused) {
    await dht.destroy()
    throw refused
  }
  return {
    key: keyPair.publicKey.toString('hex'),
    stream,
    closed,
    async open(credential = new Uint8Array()) {
      // The streams of hyperdht have all that protomux wants, under a type that says less.
      const mux = new Protomux(stream as unknown as Protomux.MuxStream)
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const messages = [{ onmessage: () => {} }, { onmessage: () => resolve() }]
      const channel = mux.createChannel({
        protocol: 'p2pt/1',
        handshake: showing(credential),
        messages,
        // It lets in whoever it is.
        onopen: () => channel?.messages[1]?.send(Uint8Array.of(0)),
        onclose: () => reject(new Error('refused')),
      })
      channel?.open(new Uint8Array())
      await promise
      return (bytes) => channel?.messages[0]?.send(bytes) ?? false
    },
    rush(credential, messages, letsIn) {
      const { promise, resolve } = Promise.withResolvers<number | undefined>()
      const mux = new Protomux(stream as unknown as Protomux.MuxStream)
      const channel = mux.createChannel({
        protocol: 'p2pt/1',
        handshake: showing(credential),
        messages: [{ onmessage: () => {} }, { onmessage: (bytes: Uint8Array) => resolve(bytes[0]) }],
        onclose: () => resolve(undefined),
      })
      channel?.open(new Uint8Array())
      for (const message of messages) channel?.messages[0]?.send(message)
      if (letsIn) channel?.messages[1]?.send(Uint8Array.of(0))
      for (const message of messages) channel?.messages[0]?.send(message)
      stream.on('close', () => resolve(undefined))
      return promise
    },
    async close() {
      stream.destroy()
      await dht.destroy()
    },
  }
}

/** The handshake of the channel; what the other shows is not looked at. */
const showing = (credential: Uint8Array): Protomux.Encoding => ({
  preencode(state) {
    state.end += credential.length
  },
  encode(state) {
    state.buffer.set(credential, state.start)
    state.start += credential.length
  },
  decode: () => new Uint8Array(),
})

if (import.meta.main) {
  const [key = '', port = '', mode = '', owner] = process.argv.slice(2)
  const peer = await hostilePeer(key, Number(port))
  const folder = owner === undefined ? undefined : openOwnerFolder(owner, () => Date.now() as Millis)
  const send = await peer.open(folder?.joining('client', 'means no good').credentialOf(peer.key as NodeId))
  process.stdout.write(`${peer.key}\n`)
  const message = new Uint8Array(200)
  peer.stream.on('close', () => process.exit())
  const flood = (): void => {
    for (let count = 0; count < 1_000; count++) send(message)
    setImmediate(flood)
  }
  const fuzz = (): void => {
    send(randomBytes(1 + Math.floor(Math.random() * 500)))
    setTimeout(fuzz, 10)
  }
  if (mode === 'flood') flood()
  if (mode === 'fuzz') fuzz()
  // Takes nothing off the socket any more.
  if (mode === 'deaf') (peer.stream.rawStream as unknown as { pause(): void }).pause()
}
