import DHT from 'bittorrent-dht'

// Nodes that do nothing but belong to a private DHT, as the clients of a larger network would: Transmission announces in none
// that has fewer than nine that it knows.
//
// usage: dht-nodes.ts HOST PORT COUNT BOOTSTRAP_HOST BOOTSTRAP_PORT

const MAX_AGE_MS = 20 * 60_000

const [host = '', port = '', count = '', bootstrapHost = '', bootstrapPort = ''] = process.argv.slice(2)
for (let at = 0; at < Number(count); at++) {
  const node = new DHT({ bootstrap: [{ host: bootstrapHost, port: Number(bootstrapPort) }], maxAge: MAX_AGE_MS })
  node.on('error', (error: Error) => console.error(error.message))
  node.listen(Number(port) + at, host, () => console.log('listens'))
}
