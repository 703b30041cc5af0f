import { build } from '../cli/program.ts'
import { whyNoNamespaces } from '../cluster/laboratory.ts'
import { PROGRAMS, ROWS, type Row, titleOf, whyNot } from './matrix.ts'
import { Network } from './network.ts'
import { transfer } from './transfer.ts'

// Running clients of p2pt and the programs that people run: each of them seeds and leeches, with every setting of encryption,
// found in every way. What a program cannot do is a skipped test with its reason.

const AT_A_TIME = 6
const WITHIN_MS = 60_000
/** Transmission joins a DHT at its leisure. */
const DHT_WITHIN_MS = 150_000

/** To look into a few: `P2PT_INTEROP='seeds, private DHT'` runs those whose titles match. */
const CHOSEN = new RegExp(process.env.P2PT_INTEROP ?? '')

const lab = whyNoNamespaces()
let network: Promise<Network> | undefined

describe('p2pt and', function () {
  this.timeout(600_000)
  before(build)
  after(async () => (await network)?.end())

  for (const program of PROGRAMS) {
    const why = lab ?? program.missing()
    const rows = ROWS.filter((row) => CHOSEN.test(titleOf(row)))
    describe(`${program.name}${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
      const outcomes = new Map<Row, Promise<Error | undefined>>()

      before(async function () {
        if (why !== undefined) this.skip()
        network ??= Network.start(AT_A_TIME)
        const running = await network
        for (const row of rows) {
          if (whyNot(program, row) !== undefined) continue
          const withinMs = row.way === 'private DHT' ? DHT_WITHIN_MS : WITHIN_MS
          const outcome = transfer(running, { ...row, program, withinMs }).then(
            () => undefined,
            (error: Error) => error,
          )
          outcomes.set(row, outcome)
        }
      })

      for (const row of rows) {
        const reason = whyNot(program, row)
        if (reason !== undefined) it.skip(`${titleOf(row)}: ${reason}`)
        else
          it(titleOf(row), async () => {
            const error = await outcomes.get(row)
            if (error !== undefined) throw error
          })
      }
    })
  }
})
