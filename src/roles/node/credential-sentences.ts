import type { CredentialFault, Genesis, NodeRole, Standing } from '../../events/index.ts'
import { standingOf } from '../../events/index.ts'

const ask = (standing: Standing): string =>
  `ask its owner for a join string (\`p2pt network invite --role ${standing}\`) and start once with --join STRING`

/** What an operator is told whose node is not let in, and what to do about it. */
export function credentialSentence(fault: CredentialFault, { name }: Genesis, role: NodeRole): string {
  const standing = standingOf(role)
  const sentences: { readonly [F in CredentialFault]: string } = {
    missing: `the network "${name}" lets in nodes of role ${role} by invitation only`,
    expired: `the invitation of this node to the network "${name}" has expired by the clock of this machine or of its peers`,
    revoked: `the owner of the network "${name}" has revoked the admission of this node`,
    role: `this node was invited to the network "${name}", but not as a ${standing}, which a node of role ${role} has to be`,
    forged: `the invitation of this node was not made by the owner of the network "${name}"`,
    malformed: `the credential of this node in the network "${name}" cannot be read`,
    mistyped: `the credential of this node in the network "${name}" cannot be read`,
    newer: `the credential of this node in the network "${name}" was made by a newer p2pt`,
    used: `the invitation of this node to the network "${name}" is for one member, and another node came first`,
  }
  // A key that the owner has put out stays out, whatever it shows.
  const anew = fault === 'revoked' ? '; if that is refused as well, with another --data DIR, for a key of its own' : ''
  return `${sentences[fault]}: ${ask(standing)}${anew}`
}

/**
 * What an operator is told whose join string is no good.
 * @param network it is for, where that can be read
 */
export function joinStringSentence(fault: CredentialFault, network: Genesis | undefined, role: NodeRole): string {
  const standing = standingOf(role)
  const other = standing === 'member' ? 'client' : 'member'
  const place = network === undefined ? 'its network' : `the network "${network.name}"`
  const sentences: { readonly [F in CredentialFault]: string } = {
    missing: `the join string has no invitation to ${place} in it, and a node of role ${role} needs one: ${ask(standing)}`,
    expired: `the invitation in the join string for ${place} has expired: ${ask(standing)}`,
    revoked: `the invitation in the join string for ${place} was revoked: ${ask(standing)}`,
    role: `the join string is for ${other}s of ${place}, and a node of role ${role} is a ${standing}: ${ask(standing)}`,
    forged: `the invitation in the join string was not made by the owner of ${place}: ${ask(standing)}`,
    malformed: 'this is no join string: copy it again as a whole, it begins with p2pt:',
    mistyped:
      'the join string is cut off or mistyped, its checksum does not fit: copy it again as a whole, it begins with p2pt:',
    newer: 'the join string was made by a newer p2pt: use that version',
    used: `the join string for ${place} is for one member, and another node has joined with it: ${ask(standing)}`,
  }
  return sentences[fault]
}
