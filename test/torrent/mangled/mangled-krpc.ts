import type { Draw } from './draw.ts'
import { mangledBencode } from './mangled-bencode.ts'

// Datagrams of the Mainline DHT (KRPC, BEP 5): queries, answers and errors, mangled in nine of ten.

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const text = (value: string): string => `${value.length}:${value}`

/** @param infoHashes of 20 bytes, that the node under test may know */
export function mangledDatagram(draw: Draw, infoHashes: readonly Uint8Array[]): Uint8Array {
  const id = (): string => text(latin1(draw.bytes(20)))
  const infoHash = (): string => text(latin1(draw.chance(0.5) ? draw.of(infoHashes) : draw.bytes(20)))
  const transaction = text(latin1(draw.bytes(draw.of([1, 2, 2, 2, 4, 40]))))
  const token = (): string => text(latin1(draw.bytes(draw.of([0, 4, 20, 70]))))
  const nodes = (): string => text(latin1(draw.bytes(26 * draw.below(20))))
  const peers = (): string => `l${Array.from({ length: draw.below(30) }, () => text(latin1(draw.bytes(6)))).join('')}e`
  const query = (name: string, body: string): string => `d1:ad2:id${id()}${body}e1:q${text(name)}1:t${transaction}1:y1:qe`
  const honest = draw.of([
    () => query('ping', ''),
    () => query('find_node', `6:target${id()}`),
    () => query('get_peers', `9:info_hash${infoHash()}`),
    () =>
      query(
        'announce_peer',
        `12:implied_porti${draw.below(3)}e9:info_hash${infoHash()}4:porti${draw.edge()}e5:token${token()}`,
      ),
    () => query('get', `6:target${id()}`),
    () => query('put', `5:token${token()}1:v${text('x'.repeat(draw.below(1_000)))}`),
    () => `d1:rd2:id${id()}5:nodes${nodes()}5:token${token()}6:values${peers()}e1:t${transaction}1:y1:re`,
    () => `d1:eli${draw.edge()}e${text('error')}e1:t${transaction}1:y1:ee`,
  ])()
  if (draw.chance(0.05)) return draw.bytes(draw.below(1_400))
  if (draw.chance(0.1)) return Buffer.from(honest, 'latin1')
  return mangledBencode(draw, honest)
}

/** An answer to a query of the node under test. @param peers compact, six bytes each, that it may be told of */
export function mangledAnswer(draw: Draw, transaction: Uint8Array, peers: readonly Uint8Array[]): Uint8Array {
  const values = peers.map((peer) => text(latin1(peer))).join('')
  const nodes = text(latin1(draw.bytes(26 * draw.below(9))))
  const honest = `d1:rd2:id${text(latin1(draw.bytes(20)))}5:nodes${nodes}5:token4:abcd6:valuesl${values}ee1:t${text(latin1(transaction))}1:y1:re`
  return draw.chance(0.5) ? Buffer.from(honest, 'latin1') : mangledBencode(draw, honest)
}
