// INTERIM
export type ChokerPeer<K> = {
  key: K
  isInterested: boolean
  isUnchoked: boolean
  isSnubbed: boolean
  since: number
  receivedPerSecond: number
  sentPerSecond: number
}
export function planUnchoked<K>(
  peers: readonly ChokerPeer<K>[],
  _o: { slots: number; isSeeding: boolean; round: number; random(): number },
): ReadonlySet<K> {
  return new Set(peers.filter((p) => p.isInterested).map((p) => p.key))
}
