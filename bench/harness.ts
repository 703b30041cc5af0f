// bench: what is measured, one file a bench (NAME.bench.ts, its default export), run by `npm run bench -- NAME`.
// Absolute numbers move threefold with the machine, so every bench measures what it is compared with in the same run,
// in interleaved rounds, and reports medians.

/** One line of the report. `ratio` is value divided by the value of `against`. */
export type Result = {
  readonly bench: string
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly against: string | null
  readonly ratio: number | null
  /** What value or ratio should be, as a sentence such as ">= 10x"; null where nothing is asked. */
  readonly target: string | null
  readonly ok: boolean
}

export type Target =
  | { readonly atLeast: number }
  | { readonly atMost: number }
  | { readonly between: readonly [number, number] }

export type Finding = {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly against?: { readonly name: string; readonly value: number }
  /** On the value. */
  readonly target?: Target
  /** On the ratio; goes with `against`. */
  readonly ratioTarget?: Target
}

export type BenchContext = {
  /** Sizes of the targets instead of those that finish in a minute. */
  readonly full: boolean
  readonly rounds: number
  /** How long each thing is measured, where a bench is about time; undefined: as long as it finds right. */
  readonly seconds: number | undefined
  /** Of a bench that is about many: how many; undefined: as many as it finds right. */
  readonly torrents: number | undefined
  /** The one part of the bench that is to run, by its name. */
  readonly only: string | undefined
  /** Runs all contenders in turn, round by round. @returns their medians */
  medians<K extends string>(contenders: { readonly [N in K]: () => Promise<number> }): Promise<{ [N in K]: number }>
  report(finding: Finding): void
  /** Says on stderr what goes on. */
  note(text: string): void
}

export type Bench = (context: BenchContext) => Promise<void>

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]]
  if (low === undefined || high === undefined) throw new RangeError('no values')
  return (low + high) / 2
}

/** The value that `share` of the values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  if (value === undefined) throw new RangeError('no values')
  return value
}

function holds(value: number, target: Target): boolean {
  if ('atLeast' in target) return value >= target.atLeast
  if ('atMost' in target) return value <= target.atMost
  const [least, most] = target.between
  return value >= least && value <= most
}

function say(target: Target, unit: string): string {
  if ('atLeast' in target) return `>= ${target.atLeast}${unit}`
  return 'atMost' in target ? `<= ${target.atMost}${unit}` : `${target.between.join(' to ')}${unit}`
}

/** What a finding comes to. */
export function resultOf(bench: string, finding: Finding): Result {
  const { name, value, unit, against, target, ratioTarget } = finding
  const ratio = against === undefined ? null : value / against.value
  const targets = [target && say(target, ` ${unit}`), ratioTarget && say(ratioTarget, 'x')].filter((text) => text !== undefined)
  const ok =
    (target === undefined || holds(value, target)) && (ratioTarget === undefined || holds(ratio ?? Number.NaN, ratioTarget))
  return {
    bench,
    name,
    value: rounded(value),
    unit,
    against: against?.name ?? null,
    ratio: ratio === null ? null : rounded(ratio),
    target: targets.length > 0 ? targets.join(' and ') : null,
    ok,
  }
}

/** Four digits: more is noise. */
const rounded = (value: number): number => Number(value.toPrecision(4))

export async function mediansOf<K extends string>(
  rounds: number,
  contenders: { readonly [N in K]: () => Promise<number> },
): Promise<{ [N in K]: number }> {
  const names = Object.keys(contenders) as K[]
  const values = new Map<K, number[]>(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    // Another first one each round, so that none always meets a cold or a busy machine.
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round) % names.length]
      if (name !== undefined) values.get(name)?.push(await contenders[name]())
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(values.get(name) ?? [])])) as { [N in K]: number }
}

/** Milliseconds that `run` takes. */
export async function timed(run: () => Promise<void> | void): Promise<number> {
  const start = performance.now()
  await run()
  return performance.now() - start
}
