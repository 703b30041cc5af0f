import { isNodeId } from '../../events/index.ts'
import { PARAMETERS, type ParameterName, type Policy } from './policy.ts'

// A policy as a file: {"policy": "NAME", "parameters": {...}, "trusted": [...]}. Each parameter is there and no other, so that
// a misspelt one is told and not judged by the default. See docs/reputation.md for what each one does.

/** A file is no policy; the message says what to mend. */
export class PolicyFileError extends Error {
  override readonly name = 'PolicyFileError'
}

const NAME = /^[a-z0-9][a-z0-9.-]{0,63}$/
const TRUSTED_MAX = 32
/** A policy has some hundred bytes, and with all its trusted keys 3 KB. */
export const POLICY_FILE_LENGTH_MAX = 64 * 1024

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 60) ?? 'nothing'

/** @throws PolicyFileError */
export function readPolicyFile(text: string): Policy {
  if (text.length > POLICY_FILE_LENGTH_MAX) refuse(`it has more than ${POLICY_FILE_LENGTH_MAX} characters`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    refuse('it is not JSON')
  }
  if (!isRecord(value)) refuse('it is no JSON object')
  only(value, ['policy', 'parameters', 'trusted'], 'field')
  const { policy: id, parameters, trusted } = value
  if (typeof id !== 'string' || !NAME.test(id))
    refuse(`"policy" must be a name of small letters, digits, dots and hyphens, up to 64, not ${shown(id)}`)
  if (!isRecord(parameters)) refuse('"parameters" must be an object of numbers')
  const names = Object.keys(PARAMETERS) as ParameterName[]
  only(parameters, names, 'parameter')
  const numbers = Object.fromEntries(names.map((name) => [name, numberOf(name, parameters[name])])) as Record<
    ParameterName,
    number
  >
  if (
    !Array.isArray(trusted) ||
    trusted.length > TRUSTED_MAX ||
    !trusted.every((key) => typeof key === 'string' && isNodeId(key))
  )
    refuse(`"trusted" must be a list of up to ${TRUSTED_MAX} node ids (64 hex digits each); [] for none`)
  return { id, ...numbers, trusted: [...new Set(trusted)].sort() }
}

/** The file of a policy, as `readPolicyFile` takes it. */
export function policyFileText({ id, trusted, ...parameters }: Policy): string {
  const ordered = Object.fromEntries((Object.keys(PARAMETERS) as ParameterName[]).map((name) => [name, parameters[name]]))
  return `${JSON.stringify({ policy: id, parameters: ordered, trusted }, null, 2)}\n`
}

function numberOf(name: ParameterName, value: unknown): number {
  const [min, max] = PARAMETERS[name]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value
  return refuse(`the parameter "${name}" must be a whole number from ${min} to ${max}, not ${shown(value)}`)
}

/** Each of the names, and no other. */
function only(record: Record<string, unknown>, names: readonly string[], what: string): void {
  const extra = Object.keys(record).find((name) => !names.includes(name))
  if (extra !== undefined) refuse(`there is no ${what} ${shown(extra)}; known are ${names.join(', ')}`)
  const missing = names.find((name) => !Object.hasOwn(record, name))
  if (missing !== undefined) refuse(`the ${what} "${missing}" is missing`)
}

function refuse(why: string): never {
  throw new PolicyFileError(why)
}
