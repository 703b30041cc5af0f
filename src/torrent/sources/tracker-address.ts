import { TrackerError } from './tracker-messages.ts'

/**
 * Which protocol a tracker's address is for.
 * A torrent must not make its reader ask services of the reader's own machine: there only a path that begins with /announce
 * is a tracker's (as libtorrent has it).
 * @throws TrackerError for one that cannot be asked
 */
export function protocolOf(tracker: string): 'http' | 'udp' {
  const url = URL.parse(tracker)
  if (url === null) throw new TrackerError('its address cannot be read')
  const { protocol, hostname, pathname } = url
  if (protocol === 'udp:') return 'udp'
  if (protocol === 'ws:' || protocol === 'wss:')
    throw new TrackerError('it is for browsers (WebRTC), which this engine does not speak')
  if (protocol !== 'http:' && protocol !== 'https:') throw new TrackerError(`trackers of ${protocol} are not known`)
  if (isOwnMachine(hostname) && !pathname.startsWith('/announce'))
    throw new TrackerError('it is on this machine, and its path does not begin with /announce')
  return 'http'
}

/** @param host as `URL` has it, IPv6 in brackets */
export const isOwnMachine = (host: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0)$/i.test(host)
