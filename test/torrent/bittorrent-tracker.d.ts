// What the tests use of the tracker's server.
declare module 'bittorrent-tracker' {
  import type { EventEmitter } from 'node:events'

  export class Server extends EventEmitter {
    constructor(options: { http: boolean; udp: boolean; ws: boolean; stats: boolean })
    readonly http: { address(): unknown }
    readonly udp4: { address(): unknown }
    readonly torrents: Readonly<Record<string, { readonly peers: { readonly length: number } }>>
    listen(port: number, hosts: { http: string; udp: string; udp6: string }, done: () => void): void
    close(done: () => void): void
  }
}
