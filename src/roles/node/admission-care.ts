import type { EventLog, NodeId, Timers } from '../../events/index.ts'
import type { Transport } from '../../network/index.ts'
import type { Admittance } from './admittance.ts'
import type { HeldOff } from './held-off.ts'

/** How often links are looked at for invitations that have expired, ms. */
export const EXPIRY_EVERY_MS = 5_000

export type AdmissionCareOptions = {
  log: Pick<EventLog, 'onAppended'>
  admittance: Pick<Admittance, 'standingOf'>
  transport: Pick<Transport, 'links' | 'drop'>
  heldOff: HeldOff
  timers: Timers
}

/** Ends the links of nodes that are admitted no more: at once when the owner revokes, within a while when they expire. @returns a function that stops it */
export function careForAdmissions({ log, admittance, transport, heldOff, timers }: AdmissionCareOptions): () => void {
  const dropUnadmitted = (why: string): void => {
    const gone: NodeId[] = transport.links().flatMap(({ peer }) => (admittance.standingOf(peer) === undefined ? [peer] : []))
    for (const peer of gone) {
      heldOff.note(peer, why)
      transport.drop(peer, 'refused')
    }
  }
  let cancel = () => {}
  const again = () => {
    cancel = timers.after(EXPIRY_EVERY_MS, () => {
      dropUnadmitted('expired')
      again()
    })
  }
  again()
  const stop = log.onAppended((envelopes) => {
    if (envelopes.some(({ event }) => event.kind === 'access.revoked')) dropUnadmitted('revoked')
    // Its invitation admits others now, that were first.
    else if (envelopes.some(({ event }) => event.kind === 'node.admitted')) dropUnadmitted('used')
  })
  return () => {
    cancel()
    stop()
  }
}
