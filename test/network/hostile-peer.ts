// A peer with a key of its own that connects to a transport and then does not keep to the protocol.
// As a process: node hostile-peer.ts KEY_HEX PORT flood|fuzz|deaf|quiet; it ends when its connection does.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import HyperDHT from 'hyperdht'
import Protomux from 'protomux'
import type { Joining, Millis, NodeId } from '../../src/events/index.ts'
import { CREDENTIAL } from '../../src/network/link.hyperswarm.ts'
import { openOwnerFolder } from '../../src/roles/owner/owner-folder.fs.ts'
import { joiningAs } from '../events/test-network.ts'

export type HostilePeer = {
  readonly key: string
  readonly stream: HyperDHT.SecretStream
  /** Resolves when the connection ends, however it ends. */
  readonly closed: Promise<void>
  /** Opens the channel as an honest peer does. @returns sends one message on it */
  open(): Promise<(bytes: Uint8Array) => boolean>
  /**
   * Opens the channel with this credential and sends all of these at once, before anybody has let anybody in.
   * @param letsIn says 0, whoever the victim is
   * @returns the byte that the victim answers with; undefined if it says nothing before the end
   */
  rush(credential: Uint8Array, messages: readonly Uint8Array[], letsIn: boolean): Promise<number | undefined>
  close(): Promise<void>
}

/** @param joining what it shows to be let in: an invitation of the network of tests, unless another is given */
export async function hostilePeer(
  victimKey: string,
  port: number,
  { seed, joining = joiningAs('index') }: { seed?: Buffer | undefined; joining?: Joining } = {},
): Promise<HostilePeer> {
  const keyPair = HyperDHT.keyPair(seed)
  const dht = new HyperDHT({ host: '127.0.0.1', bootstrap: [], keyPair, firewalled: false })
  const stream = dht.connect(Buffer.from(victimKey, 'hex'), { relayAddresses: [{ host: '127.0.0.1', port }], keyPair })
  stream.on('error', () => {})
  const closed = new Promise<void>((resolve) => stream.on('close', () => resolve()))
  await once(stream, 'open')
  const key = keyPair.publicKey.toString('hex')
  const credential = joining.credentialOf(key as NodeId)
  return {
    key,
    stream,
    closed,
    async open() {
      // The streams of hyperdht have all that protomux wants, under a type that says less.
      const mux = new Protomux(stream as unknown as Protomux.MuxStream)
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const messages = [{ onmessage: () => {} }, { onmessage: () => resolve() }]
      const channel = mux.createChannel({
        protocol: 'p2pt/1',
        handshake: CREDENTIAL,
        messages,
        // It lets in whoever it is.
        onopen: () => channel?.messages[1]?.send(Uint8Array.of(0)),
        onclose: () => reject(new Error('refused')),
      })
      channel?.open(credential)
      await promise
      return (bytes) => channel?.messages[0]?.send(bytes) ?? false
    },
    rush(credential, messages, letsIn) {
      const { promise, resolve } = Promise.withResolvers<number | undefined>()
      const mux = new Protomux(stream as unknown as Protomux.MuxStream)
      const channel = mux.createChannel({
        protocol: 'p2pt/1',
        handshake: {
          preencode: (state: { end: number }) => {
            state.end += credential.length
          },
          encode: (state: { buffer: Uint8Array; start: number }) => {
            state.buffer.set(credential, state.start)
            state.start += credential.length
          },
          decode: () => new Uint8Array(),
        },
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
      await dht.destroy({ force: true })
    },
  }
}

if (import.meta.main) {
  const [key = '', port = '', mode = ''] = process.argv.slice(2)
  const owner = process.env.P2PT_NETWORK
  // Let into the network of real processes by the key of its owner.
  const joining =
    owner === undefined ? undefined : openOwnerFolder(owner, () => Date.now() as Millis).joining('member', 'hostile')
  const peer = await hostilePeer(key, Number(port), joining === undefined ? {} : { joining })
  const send = await peer.open()
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
