import type { Level } from 'level'
import type { NetworkId, NodeId } from '../events/index.ts'

// Rows name no log: those of another node would be taken for this one's, and nothing would ever tell. So the store says
// once whose they are, before the first of them is written.

/** The node, and its network, from whose log the rows of a store were folded. */
export type StoreOwner = { readonly author: NodeId; readonly network: NetworkId }

const OWNER_KEY = 'o'

/** Makes an empty store one's own. @returns why the rows in it are not of this owner; undefined where they are */
export async function claimStore(database: Level, { author, network }: StoreOwner): Promise<string | undefined> {
  const text = await database.get(OWNER_KEY)
  if (text === undefined) {
    if ((await database.keys({ limit: 1 }).all()).length > 0) return 'they do not say whose they are'
    await database.put(OWNER_KEY, JSON.stringify({ author, network }))
    return undefined
  }
  const found = parseOwner(text)
  if (found === undefined) return 'they do not say whose they are'
  if (found.author !== author) return `they are those of node ${found.author}`
  if (found.network !== network) return `they are of the network ${found.network}`
  return undefined
}

function parseOwner(text: string): Partial<StoreOwner> | undefined {
  try {
    return (JSON.parse(text) ?? {}) as Partial<StoreOwner>
  } catch {
    return undefined
  }
}
