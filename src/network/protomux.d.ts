// Only what link.hyperswarm.ts uses of protomux 3.
declare module 'protomux' {
  import type { EventEmitter } from 'node:events'

  /** What a multiplexer needs of the stream under it. */
  interface MuxStream extends EventEmitter {
    userData: unknown
    readonly destroyed: boolean
    alloc(bytes: number): Buffer
    write(bytes: Uint8Array): boolean
    pause(): unknown
    resume(): unknown
    end(): unknown
    destroy(error?: Error): unknown
  }

  /** compact-encoding's: `state` is a window on a buffer. */
  interface Encoding {
    preencode(state: EncodingState, value: Uint8Array): void
    encode(state: EncodingState, value: Uint8Array): void
    decode(state: EncodingState): Uint8Array
  }
  type EncodingState = { start: number; end: number; buffer: Buffer }

  interface Message {
    /** @returns false if the stream wants no more until `ondrain` */
    send(bytes: Uint8Array): boolean
  }

  interface Channel {
    readonly messages: readonly Message[]
    open(handshake: Uint8Array): void
    close(): void
  }

  class Protomux {
    constructor(stream: MuxStream)
    createChannel(options: {
      protocol: string
      handshake: Encoding
      messages: readonly { onmessage: (bytes: Buffer) => void }[]
      onopen?: (handshake: Uint8Array) => void
      onclose?: (isRemote: boolean) => void
      ondrain?: () => void
    }): Channel | null
  }

  namespace Protomux {
    export type { Channel, Encoding, Message, MuxStream }
  }

  export = Protomux
}
