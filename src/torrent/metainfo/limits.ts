// Each bound below was a way to make a client that believes its input hang, run out of memory or write outside its directory.

/** 16 KiB: what is asked for at once on the wire (BEP 3); the last block of a piece may be shorter. */
export const BLOCK_BYTES = 16_384
/** A piece is held in memory until its hash is checked. */
export const PIECE_BYTES_MAX = 128 * 1024 * 1024
/**
 * One object a piece is kept; a million of them stopped the event loop for 19 s. At the 128 MiB bound this is still 32 TiB.
 */
export const PIECE_COUNT_MAX = 262_144
export const FILE_COUNT_MAX = 65_536
/** Hashes of 262,144 pieces are 5 MiB; the rest is names. An event of the log (6 MiB) and a line of the control socket (8 MiB) hold it. */
export const TORRENT_FILE_BYTES_MAX = 5.5 * 1024 * 1024
/** What file systems take for one name. */
export const NAME_BYTES_MAX = 255
export const PATH_BYTES_MAX = 3_000
/** Parts of a path, as deep as publishing goes. Each is looked up for each file: thousands of them would hold the event loop. */
export const PATH_DEPTH_MAX = 101
