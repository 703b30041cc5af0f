import type { LocalNetwork } from './network.ts'

/** What a person can type to go on with a network that was left up. */
export function howToTalk(network: LocalNetwork, directory: string): string {
  const data = (name: string) => network.node(name).options.dataDirectory
  return `
The network is still up. Talk to it:
  npx p2pt client search compiler --data ${data('client2')}
  npx p2pt reputation list --data ${data('client4')}
  npx p2pt node liveness --data ${data('index1')}
  npx p2pt log tail --data ${data('client1')}
A client of your own that joins it:
  npx p2pt client start --data /tmp/my-node --host 127.0.0.1 --network ${network.ownerFolder} ${network.bootstrap.map((address) => `--bootstrap ${address}`).join(' ')}
Stop it, and remove what it left:
  for data in ${directory}/nodes/*/; do npx p2pt node stop --data "$data"; done; rm -r ${directory}
`
}
