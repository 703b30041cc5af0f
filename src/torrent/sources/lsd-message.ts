import type { InfoHash } from '../../events/index.ts'
import { isInfoHash } from '../../events/index.ts'

// Local service discovery (BEP 14): one datagram to all of a local network says which torrents somebody has, and at which port.

export const LSD_PORT = 6_771
export const LSD_GROUPS = { 4: '239.192.152.143', 6: 'ff15::efc0:988f' } as const
/** Longer ones are not read (BEP 14). */
export const LSD_BYTES_MAX = 1_400
/** Torrents that one datagram of ours names: as many as fit. */
export const LSD_TORRENTS_MAX = 24
/** Letters of a cookie. */
const COOKIE_MAX = 64

export type LsdAnnouncement = {
  /** TCP */
  port: number
  infoHashes: readonly InfoHash[]
  /** By which a client tells its own datagrams. */
  cookie: string | undefined
}

/** @param infoHashes at most `LSD_TORRENTS_MAX` */
export function encodeLsd({ port, infoHashes, cookie }: LsdAnnouncement, family: 4 | 6): Uint8Array {
  const host = family === 4 ? LSD_GROUPS[4] : `[${LSD_GROUPS[6]}]`
  const lines = [
    'BT-SEARCH * HTTP/1.1',
    `Host: ${host}:${LSD_PORT}`,
    `Port: ${port}`,
    ...infoHashes.map((infoHash) => `Infohash: ${infoHash}`),
    ...(cookie === undefined ? [] : [`cookie: ${cookie}`]),
  ]
  return new TextEncoder().encode(`${lines.join('\r\n')}\r\n\r\n\r\n`)
}

/** @returns undefined for what is no announcement; info hashes that cannot be read, such as those of v2, are left out */
export function decodeLsd(datagram: Uint8Array): LsdAnnouncement | undefined {
  if (datagram.length > LSD_BYTES_MAX) return undefined
  // Latin letters take no time to check; what is none is in no header that is read.
  const [first, ...lines] = String.fromCharCode(...datagram).split('\r\n')
  if (first === undefined || !/^BT-SEARCH \* HTTP\/1\.\d$/i.test(first)) return undefined
  const infoHashes = new Set<InfoHash>()
  let port = 0
  let cookie: string | undefined
  for (const line of lines) {
    const [, name = '', value = ''] = /^([A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? []
    switch (name.toLowerCase()) {
      case 'port':
        port = /^\d{1,5}$/.test(value) ? Number(value) : 0
        break
      case 'infohash':
        if (isInfoHash(value.toLowerCase())) infoHashes.add(value.toLowerCase() as InfoHash)
        break
      case 'cookie':
        cookie = value.slice(0, COOKIE_MAX)
    }
  }
  if (!(port > 0 && port < 65_536) || infoHashes.size === 0) return undefined
  return { port, infoHashes: [...infoHashes], cookie }
}
