// Schema steps of event payloads, one file a step, oldest first; src/events/upcasting.ts chains them on read.
// A released step is never edited. May import from src/events only.
import type { UpcastStep } from '../src/events/codec/upcasting.ts'

/** None yet: every kind is in its first version. */
export const upcastSteps: readonly UpcastStep[] = []
