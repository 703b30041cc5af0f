import {
  admit,
  CredentialError,
  decodeGenesis,
  decodeJoinString,
  isExpired,
  type Joining,
  type JoinTicket,
  type Millis,
  type NodeRole,
  networkIdOf,
  readInvitation,
  standingOf,
} from '../../events/index.ts'
import { sha256, signerFromSeed, verifierOf } from '../../events/signer.sodium.ts'
import { credentialSentence } from '../node/credential-sentences.ts'
import { ServiceError } from '../services.ts'

/** What a ticket lets a node do: the node's key is signed by the invitation's. */
export function joiningBy({ genesis, bootstraps, invitation }: JoinTicket): Joining {
  const network = networkIdOf(genesis, sha256)
  return {
    genesis,
    bootstraps,
    credentialOf: (node) =>
      invitation === undefined ? new Uint8Array() : admit(node, invitation, signerFromSeed(invitation.seed, network)),
  }
}

/**
 * What a join string lets a node of this role do.
 * @throws ServiceError `usage` that says what is wrong with it and what to ask the owner for
 */
export function joiningFrom(text: string, role: NodeRole, now: Millis): Joining {
  try {
    const ticket = decodeJoinString(text, sha256)
    const { genesis, network, invitation } = ticket
    try {
      if (invitation !== undefined) {
        const verify = verifierOf(networkIdOf(genesis, sha256))
        const read = readInvitation(invitation, network.owner, verify)
        if (isExpired(read, now)) throw new CredentialError('expired', 'expired')
        if (read.role !== standingOf(role)) throw new CredentialError('role', `for a ${read.role}`)
      } else if (role !== 'client' || !network.open) throw new CredentialError('missing', 'no invitation')
    } catch (cause) {
      if (!(cause instanceof CredentialError)) throw cause
      throw new ServiceError('usage', credentialSentence(cause.code, decodeGenesis(genesis), role), { cause })
    }
    return joiningBy(ticket)
  } catch (cause) {
    if (!(cause instanceof CredentialError)) throw cause
    throw new ServiceError('usage', `${cause.message}: copy it again as a whole, it begins with p2pt:`, { cause })
  }
}
