import {
  admit,
  CredentialError,
  decodeJoinString,
  type Genesis,
  type Invitation,
  isExpired,
  type Joining,
  type JoinTicket,
  type Millis,
  type NetworkId,
  type NodeRole,
  networkIdOf,
  readInvitation,
  standingOf,
} from '../../events/index.ts'
import { keyOfSeed, sha256, signerFromSeed, verifierOf } from '../../events/keys/signer.sodium.ts'
import { joinStringSentence } from '../node/credential-sentences.ts'
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
  let network: Genesis | undefined
  try {
    const ticket = decodeJoinString(text, sha256)
    network = ticket.network
    checkTicket(ticket, role, now)
    return joiningBy(ticket)
  } catch (cause) {
    if (!(cause instanceof CredentialError)) throw cause
    throw new ServiceError('usage', joinStringSentence(cause.code, network, role), { cause })
  }
}

/**
 * Which invitation is in a join string; none for clients of an open network.
 * @throws ServiceError `usage` that says what is wrong with the string, and does not repeat it
 */
export function invitationIn(text: string): { id: NetworkId; network: Genesis; invitation: Invitation | undefined } {
  let network: Genesis | undefined
  try {
    const ticket = decodeJoinString(text, sha256)
    network = ticket.network
    const id = networkIdOf(ticket.genesis, sha256)
    const signed = ticket.invitation
    return { id, network, invitation: signed && readInvitation(signed, network.owner, verifierOf(id)) }
  } catch (cause) {
    if (!(cause instanceof CredentialError)) throw cause
    throw new ServiceError('usage', joinStringSentence(cause.code, network, 'client'), { cause })
  }
}

function checkTicket({ genesis, network, invitation }: ReturnType<typeof decodeJoinString>, role: NodeRole, now: Millis): void {
  if (invitation === undefined) {
    if (!network.open) throw new CredentialError('missing', 'no invitation')
    // What an open network gives to everybody is for clients.
    if (role !== 'client') throw new CredentialError('role', 'for a client')
    return
  }
  const read = readInvitation(invitation, network.owner, verifierOf(networkIdOf(genesis, sha256)))
  if (keyOfSeed(invitation.seed) !== read.key) throw new CredentialError('forged', 'the seed is not that of the invitation')
  if (isExpired(read, now)) throw new CredentialError('expired', 'expired')
  if (read.role !== standingOf(role)) throw new CredentialError('role', `for a ${read.role}`)
}
