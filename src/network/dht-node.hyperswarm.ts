import HyperDHT from 'hyperdht'
import type { NodeRole } from '../events/index.ts'
import { guardDht } from './dht-guard.hyperswarm.ts'
import { NetworkError } from './network-error.ts'
import type { Endpoint } from './transport.ts'
import { dialableIpv4Of, freeUdpPort, ipv4Of, portError, primaryIpv4 } from './udp-port.hyperswarm.ts'

const ANY = '0.0.0.0'

/** Tries at a system-chosen port that another process took between the choice and the bind. */
const PORT_TRIES = 5

export type DhtNodeOptions = {
  keyPair: HyperDHT.KeyPair
  role: NodeRole
  host: string
  port: number
  /** The address others reach us at, where it is not the bound one. */
  advertise?: string
  keepAliveMs: number
}

export type DhtNode = { dht: HyperDHT; endpoint: Endpoint }

/**
 * A node of our private HyperDHT, bound and knowing nobody: `bootstrap` is an array always, since without one HyperDHT
 * goes to the public network.
 * @throws NetworkError PORT_IN_USE, BAD_ADDRESS
 */
export async function openDhtNode(options: DhtNodeOptions): Promise<DhtNode> {
  const host = await ipv4Of(options.host)
  const advertised = await dialableIpv4Of(options.advertise ?? (host === ANY ? primaryIpv4() : host))
  for (let tries = 1; ; tries++) {
    const port = await freeUdpPort(host, options.port)
    const dht = guardDht(createDht(options, host, advertised, port))
    try {
      await dht.bind()
      await dht.fullyBootstrapped()
      return { dht, endpoint: { host: advertised, port } }
    } catch (cause) {
      await dht.destroy({ force: true }).catch(() => {})
      const error = cause instanceof NetworkError ? cause : portError(host, port, cause)
      if (options.port !== 0 || error.code !== 'PORT_IN_USE' || tries === PORT_TRIES) throw error
    }
  }
}

function createDht({ keyPair, role, keepAliveMs }: DhtNodeOptions, host: string, advertised: string, port: number): HyperDHT {
  const shared = { host, keyPair, bootstrap: [], anyPort: false, connectionKeepAlive: keepAliveMs }
  // Only bootstraps keep others' records: one dead record keeper costs every look-up seconds until it is forgotten.
  if (role === 'bootstrap') return HyperDHT.bootstrapper(port, advertised, shared)
  // Index nodes are servers, and on loopback nothing filters: these are dialled straight. A client may sit behind
  // a NAT, so it starts as firewalled and is reached by hole punching.
  const open = role === 'index' || host.startsWith('127.')
  return new HyperDHT({ ...shared, port, ...(open ? { firewalled: false } : {}) })
}
