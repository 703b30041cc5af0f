// IP addresses as bytes and back, in one spelling each, so that one host is one host wherever it is met.

/** @returns 4 bytes, or 16; IPv4 mapped into IPv6 (RFC 4291, 2.5.5.2) gives 4; undefined for a name */
export function bytesOfIp(host: string): Uint8Array | undefined {
  if (!host.includes(':')) return bytesOfV4(host)
  const bytes = bytesOfV6(host)
  return bytes !== undefined && isMapped(bytes) ? bytes.subarray(12) : bytes
}

/** @param bytes 4 or 16 @returns IPv6 as RFC 5952 writes it, IPv4 where it is mapped */
export function ipOfBytes(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  if (isMapped(bytes)) return bytes.subarray(12).join('.')
  const groups: number[] = []
  for (let at = 0; at < 16; at += 2) groups.push(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0))
  const [start, count] = longestZeros(groups)
  const text = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':')
  return count < 2 ? text(0, 8) : `${text(0, start)}::${text(start + count, 8)}`
}

function longestZeros(groups: readonly number[]): [start: number, count: number] {
  let [best, bestCount] = [0, 0]
  for (let at = 0; at < groups.length; at++) {
    let count = 0
    while (groups[at + count] === 0) count++
    if (count > bestCount) [best, bestCount] = [at, count]
    at += count
  }
  return [best, bestCount]
}

const isMapped = (bytes: Uint8Array): boolean =>
  bytes.length === 16 && bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff

function bytesOfV4(host: string): Uint8Array | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host)
  const numbers = match?.slice(1).map(Number)
  return numbers?.every((number) => number < 256) === true ? Uint8Array.from(numbers) : undefined
}

function bytesOfV6(host: string): Uint8Array | undefined {
  const halves = inGroups(host)?.split('::') ?? []
  if (halves.length === 0 || halves.length > 2) return undefined
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  const groups = [...head, ...Array<string>(missing).fill('0'), ...tail]
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  return Uint8Array.from(groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]))
}

/** The last 32 bits may be written as IPv4. */
function inGroups(host: string): string | undefined {
  const colon = host.lastIndexOf(':')
  const last = host.slice(colon + 1)
  if (!last.includes('.')) return host
  const [a = 0, b = 0, c = 0, d = 0] = bytesOfV4(last) ?? []
  if (bytesOfV4(last) === undefined) return undefined
  return `${host.slice(0, colon)}:${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}
