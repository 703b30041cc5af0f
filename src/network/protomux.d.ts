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

  interface Message {
    /** @returns false if the stream wants no more until `ondrain` */
    send(bytes: Uint8Array): boolean
  }

  interface Channel {
    readonly messages: readonly Message[]
    open(): void
    close(): void
  }

  class Protomux {
    constructor(stream: MuxStream)
    createChannel(options: {
      protocol: string
      messages: readonly { onmessage: (bytes: Buffer) => void }[]
      onopen?: () => void
      onclose?: (isRemote: boolean) => void
      ondrain?: () => void
    }): Channel | null
  }

  namespace Protomux {
    export type { Channel, Message, MuxStream }
  }

  export = Protomux
}
