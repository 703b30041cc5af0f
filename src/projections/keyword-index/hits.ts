/** Most hits of one answer: of a search here, of one over the network, and what a flag or a peer may ask for. */
export const HITS_MAX = 1_000
/** Hits of an answer where nothing is said: a screenful. */
export const HITS_DEFAULT = 20
