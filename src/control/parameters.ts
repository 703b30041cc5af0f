// Checks of what a caller sends, before a service sees it. A check returns what is wrong ("must be ..."), or undefined.

export type Check = (value: unknown) => string | undefined

const TEXT_LENGTH_MAX = 8 * 1024 * 1024

export const text: Check = (value) =>
  typeof value === 'string' && value.length <= TEXT_LENGTH_MAX ? undefined : 'must be a text'

export const whole: Check = (value) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? undefined : 'must be a whole number, 0 or more'

export const percent: Check = (value) =>
  typeof value === 'number' && value >= 0 && value <= 100 ? undefined : 'must be a number from 0 to 100'

export const truth: Check = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false')

export const number: Check = (value) => (typeof value === 'number' && Number.isFinite(value) ? undefined : 'must be a number')

/** Left out, or null (what JSON makes of undefined in an array), or as `check` wants it. */
export const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null ? undefined : check(value)

export const list =
  (check: Check, countMax = 10_000): Check =>
  (value) => {
    if (!Array.isArray(value)) return 'must be a list'
    if (value.length > countMax) return `must have at most ${countMax} items`
    for (const [index, item] of value.entries()) {
      const wrong = check(item)
      if (wrong !== undefined) return `item ${index + 1} ${wrong}`
    }
    return undefined
  }

const fieldsOf = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined

/** An object with these fields and no other, so that a misspelt option is told and not passed over. */
export const record =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value) => {
    const fields = fieldsOf(value)
    if (fields === undefined) return 'must be an object'
    const unknown = Object.keys(fields).find((name) => !Object.hasOwn(checks, name))
    if (unknown !== undefined) return `has an unknown field ${JSON.stringify(unknown.slice(0, 50))}`
    for (const [name, check] of Object.entries(checks)) {
      const wrong = check(fields[name])
      if (wrong !== undefined) return `field "${name}" ${wrong}`
    }
    return undefined
  }

/** An object of any names, each value as `check` wants it. */
export const dictionary =
  (check: Check): Check =>
  (value) => {
    const fields = fieldsOf(value)
    if (fields === undefined) return 'must be an object'
    for (const [name, item] of Object.entries(fields)) {
      const wrong = check(item)
      if (wrong !== undefined) return `field ${JSON.stringify(name.slice(0, 50))} ${wrong}`
    }
    return undefined
  }

/** What is wrong with a call's parameters, a sentence; undefined if nothing is. */
export function complaint(checks: readonly Check[], parameters: readonly unknown[]): string | undefined {
  if (parameters.length > checks.length) return `takes ${checks.length} parameters, not ${parameters.length}`
  for (const [index, check] of checks.entries()) {
    const wrong = check(parameters[index])
    if (wrong !== undefined) return `parameter ${index + 1} ${wrong}`
  }
  return undefined
}
