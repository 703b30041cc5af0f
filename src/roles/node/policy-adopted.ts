import { PolicyFileError, parametersOf, policyFileText, policyOf, readPolicyFile } from '../../projections/reputation/index.ts'
import { type AdoptedPolicy, ServiceError } from '../services.ts'

/**
 * A policy as its event tells it, with all of its parameters.
 * @throws ServiceError `usage` for a name or parameter that no policy has, or one out of its range
 */
export function policyAdopted({ id, parameters }: AdoptedPolicy): AdoptedPolicy {
  const policy = policyOf({ policy: id, parameters })
  const told = parametersOf(policy)
  // The fold passes over what it does not know: here somebody would believe that it holds.
  const lost = Object.entries(parameters).find(([name, value]) => told[name] !== value)
  if (lost !== undefined) throw new ServiceError('usage', `no policy has the parameter ${lost[0].slice(0, 80)} with ${lost[1]}`)
  try {
    readPolicyFile(policyFileText(policy))
  } catch (cause) {
    if (!(cause instanceof PolicyFileError)) throw cause
    throw new ServiceError('usage', `this is no policy: ${cause.message}`, { cause })
  }
  return { id, parameters: told }
}
