import type { CredentialFault, Genesis, NodeRole } from '../../events/index.ts'
import { standingOf } from '../../events/index.ts'

/** What an operator is told whose node is not let in, and what to do about it. */
export function credentialSentence(fault: CredentialFault, { name }: Genesis, role: NodeRole): string {
  const standing = standingOf(role)
  const ask = `ask its owner for a join string (\`p2pt network invite --role ${standing}\`) and start once with --join STRING`
  const sentences: { readonly [F in CredentialFault]: string } = {
    missing: `the network "${name}" lets in nodes of role ${role} by invitation only`,
    expired: `the invitation of this node to the network "${name}" has expired`,
    revoked: `the owner of the network "${name}" has revoked the admission of this node`,
    role: `this node was invited to the network "${name}", but not as a ${standing}, which a node of role ${role} has to be`,
    forged: `the invitation of this node was not made by the owner of the network "${name}"`,
    malformed: `the credential of this node in the network "${name}" cannot be read`,
    mistyped: 'the join string is cut off or mistyped',
  }
  return `${sentences[fault]}: ${ask}`
}
