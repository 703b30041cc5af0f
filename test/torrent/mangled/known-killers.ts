import { extended, message, uint32 } from '../raw-peer.ts'

// What has ended a BitTorrent client once (webtorrent, bittorrent-dht): said first, one by one, before anything random.

/** Messages behind a handshake. @param pieceCount of the torrent */
export const KILLER_MESSAGES: Readonly<Record<string, (pieceCount: number) => readonly Uint8Array[]>> = {
  'have of piece 1,000,000,000, then a bitfield': (pieces) => [
    message(4, 1_000_000_000),
    message(5, new Uint8Array(Math.ceil(pieces / 8))),
  ],
  'allowed fast of piece 0xffffffff': () => [message(17, 0xffffffff)],
  'suggest of piece 0xffffffff': () => [message(13, 0xffffffff)],
  'ut_metadata before the extended handshake': () => [extended(1, 'd8:msg_typei0e5:piecei0ee')],
  'extended handshake and ut_metadata data': () => [
    extended(0, 'd1:md11:ut_metadatai1ee13:metadata_sizei100ee'),
    extended(1, `d8:msg_typei1e5:piecei0e10:total_sizei100ee${'x'.repeat(100)}`),
  ],
  'a message of 4 GB': () => [uint32(0xffffffff), new Uint8Array(1_000)],
  'a negative string length': () => [extended(0, 'd1:md-3:abci1eee')],
  'a negative string length in ut_metadata': () => [extended(0, 'd1:md11:ut_metadatai1eee'), extended(1, 'd5:piecel-3:ee')],
  'nesting of 10,000': () => [extended(0, `${'l'.repeat(10_000)}${'e'.repeat(10_000)}`)],
  'a metadata size of 2^53': () => [extended(0, 'd1:md11:ut_metadatai1ee13:metadata_sizei9007199254740992ee')],
  'a request of 1 GB': () => [message(6, 0, 0, 1_000_000_000)],
  'a piece far beyond the last': () => [message(7, 0xfffffff0, 0xfffffff0, new Uint8Array(16_384))],
}

const QUERIER = '2:id20:aaaaaaaaaaaaaaaaaaaa'

export const KILLER_DATAGRAMS: Readonly<Record<string, string>> = {
  'get_peers with an integer info hash': `d1:ad${QUERIER}9:info_hashi1ee1:q9:get_peers1:t2:aa1:y1:qe`,
  'find_node with an integer target': `d1:ad${QUERIER}6:targeti1ee1:q9:find_node1:t2:aa1:y1:qe`,
  'announce_peer with a list for a token': `d1:ad${QUERIER}9:info_hash20:bbbbbbbbbbbbbbbbbbbb4:porti1e5:tokenlee1:q13:announce_peer1:t2:aa1:y1:qe`,
  'a negative string length': 'l-3:e',
  'a negative string length as a value': 'd1:y-3:e',
  'an answer with an integer for nodes': 'd1:rd2:id20:aaaaaaaaaaaaaaaaaaaa5:nodesi1ee1:t2:aa1:y1:re',
  'an error that is no list': 'd1:ei1e1:t2:aa1:y1:ee',
  nothing: '',
}
