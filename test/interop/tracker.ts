import { Server } from 'bittorrent-tracker'

// A tracker of a kept library, over HTTP and UDP.
//
// usage: tracker.ts HOST PORT

const [host = '', port = ''] = process.argv.slice(2)
const server = new Server({ http: true, udp: true, ws: false, stats: false })
server.on('warning', (warning: Error) => console.error(warning.message))
server.on('error', (error: Error) => console.error(error.message))
server.listen(Number(port), { http: host, udp: host, udp6: '::1' }, () => console.log('listens'))
