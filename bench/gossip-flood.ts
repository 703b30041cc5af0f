export type Flood = { readonly reachedShare: number; readonly copies: number; readonly hops: number }

/**
 * What p2pt's ancestor did with an event: each node that hears it for the first time tells `fanout` others at random, once.
 * @param lossShare of the messages, 0 to 1
 * @param random 0 <= random() < 1
 */
export function flood(nodes: number, fanout: number, lossShare: number, random: () => number): Flood {
  const heard = new Set<number>([0])
  let front = [0]
  let received = 0
  let hops = 0
  while (front.length > 0) {
    const next: number[] = []
    for (const teller of front) {
      const told = new Set<number>()
      while (told.size < Math.min(fanout, nodes - 1)) {
        const other = Math.floor(random() * nodes)
        if (other !== teller) told.add(other)
      }
      for (const other of told) {
        if (random() < lossShare) continue
        received++
        if (heard.has(other)) continue
        heard.add(other)
        next.push(other)
      }
    }
    if (next.length > 0) hops++
    front = next
  }
  return { reachedShare: heard.size / nodes, copies: received / Math.max(1, heard.size - 1), hops }
}
