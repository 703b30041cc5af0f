// The stories of the simulator, by the names that `npm run test:sim -- --scenario NAME` takes.
import type { Scenario } from '../stage.ts'
import { away } from './away.ts'
import { broadcast } from './broadcast.ts'
import { churn } from './churn.ts'
import { coldStart } from './cold-start.ts'
import { crash } from './crash.ts'
import { goodbye } from './goodbye.ts'
import { hostile } from './hostile.ts'
import { liars } from './liars.ts'
import { noise } from './noise.ts'
import { oldClock } from './old-clock.ts'
import { partition } from './partition.ts'
import { quiet } from './quiet.ts'

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'cold-start': coldStart,
  crash,
  goodbye,
  'old-clock': oldClock,
  away,
  partition,
  churn,
  quiet,
  broadcast,
  liars,
  hostile,
  noise,
}
