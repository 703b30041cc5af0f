import type { EventKind } from '../model/event.ts'
import { KINDS, type KindRow, kindOfNumber } from '../model/kinds.ts'
import { PayloadError } from './payload.ts'

/** Turns the payload of an older version into that of the present one. */
export type Upcast = (kind: number, version: number, payload: Uint8Array) => Uint8Array

/**
 * One step of an event kind's schema: payload of version `from` to version `from + 1`. Pure: the log is never
 * rewritten, steps run on read. They stand in migrations/, one file a step.
 */
export type UpcastStep = { readonly kind: EventKind; readonly from: number; readonly up: (payload: Uint8Array) => Uint8Array }

/** The number and the present version of each kind. */
export type Versions = { readonly [K in EventKind]: Pick<KindRow, 'number' | 'version'> }

/** An event was written by a newer version than this one. */
export class NewerEventError extends Error {
  override readonly name = 'NewerEventError'
}

/**
 * Chains the steps.
 * @param kinds the present versions
 * @throws RangeError if a step is missing between the first and the present version of a kind
 */
export function upcaster(steps: readonly UpcastStep[], kinds: Versions = KINDS): Upcast {
  const byKind = new Map<number, UpcastStep[]>()
  for (const [kind, { number, version }] of Object.entries(kinds)) {
    const chain: UpcastStep[] = []
    for (let from = 1; from < version; from++) {
      const step = steps.find((candidate) => candidate.kind === kind && candidate.from === from)
      if (step === undefined) throw new RangeError(`no step from version ${from} of ${kind}`)
      chain.push(step)
    }
    byKind.set(number, chain)
  }
  return (number, version, payload) => {
    const chain = byKind.get(number)
    if (chain === undefined || version === chain.length + 1) return payload
    if (version > chain.length + 1) {
      throw new NewerEventError(
        `${kindOfNumber(number)} has version ${version}, this p2pt knows up to ${chain.length + 1}: use a newer one`,
      )
    }
    try {
      return chain.slice(version - 1).reduce((older, step) => step.up(older), payload)
    } catch (cause) {
      // These bytes come from strangers: a step that cannot read them says what a decoder would.
      if (cause instanceof PayloadError) throw cause
      throw new PayloadError(`not a ${kindOfNumber(number)} message of version ${version}`, { cause })
    }
  }
}
