/** Long-standing nodes that are there for others to enter the public Mainline DHT by; asked only once a torrent takes part in it. */
export const PUBLIC_DHT_NODES: readonly { host: string; port: number }[] = [
  { host: 'dht.libtorrent.org', port: 25_401 },
  { host: 'router.bittorrent.com', port: 6_881 },
  { host: 'dht.transmissionbt.com', port: 6_881 },
  { host: 'router.utorrent.com', port: 6_881 },
]
