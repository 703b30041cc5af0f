import { readFileSync, statSync } from 'node:fs'
import {
  PARAMETERS,
  type ParameterName,
  POLICY_FILE_LENGTH_MAX,
  type Policy,
  PolicyFileError,
  parametersOf,
  policyConsequences,
  policyFileText,
  readPolicyFile,
  SHIPPED_POLICIES,
} from '../../projections/reputation/index.ts'
import { ServiceError } from '../../roles/index.ts'

export type AskedPolicy = {
  readonly asked: { id: string; parameters: Record<string, number> }
  /** What it does, sentences. */
  readonly consequences: string[]
}

/**
 * A policy that came with p2pt, or one in a file, with other values for some parameters.
 * @param settings `NAME=VALUE`
 * @throws ServiceError `usage` that says what to mend
 */
export function policyAsked(given: string, settings: readonly string[]): AskedPolicy {
  const named = SHIPPED_POLICIES.get(given) ?? fromFile(given)
  // Through the check of files, so that each value is within its bounds.
  const policy =
    settings.length === 0 ? named : checked('--set', () => readPolicyFile(policyFileText(changed(named, settings))))
  return { asked: { id: policy.id, parameters: parametersOf(policy) }, consequences: policyConsequences(policy) }
}

function changed(policy: Policy, settings: readonly string[]): Policy {
  const changes = settings.map((setting): [string, number] => {
    const match = /^([\w.-]+)=(-?\d+(?:\.\d+)?)$/.exec(setting)
    if (match?.[1] === undefined) throw new ServiceError('usage', `not of the form NAME=VALUE with a number: ${setting}`)
    const name = match[1]
    if (!Object.hasOwn(PARAMETERS, name)) {
      const known = (Object.keys(PARAMETERS) as ParameterName[]).join(', ')
      throw new ServiceError('usage', `a policy has no parameter ${name}; known are ${known}`)
    }
    return [name, Number(match[2])]
  })
  return { ...policy, ...Object.fromEntries(changes) }
}

function fromFile(file: string): Policy {
  let text: string
  try {
    // A device or a pipe would never end.
    const { size } = statSync(file)
    if (size > POLICY_FILE_LENGTH_MAX)
      throw new ServiceError('usage', `${file} is no policy: it has more than ${POLICY_FILE_LENGTH_MAX} bytes`)
    if (!statSync(file).isFile()) throw new ServiceError('usage', `${file} is no policy: it is no file`)
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    if (cause instanceof ServiceError) throw cause
    const names = [...SHIPPED_POLICIES.keys()].join(', ')
    throw new ServiceError('usage', `${file} is neither a policy that p2pt has (${names}) nor a file that can be read`, {
      cause,
    })
  }
  return checked(file, () => readPolicyFile(text))
}

function checked(what: string, read: () => Policy): Policy {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof PolicyFileError)) throw cause
    throw new ServiceError('usage', `${what} is no policy: ${cause.message}`, { cause })
  }
}
