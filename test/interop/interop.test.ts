import { build } from '../cli/program.ts'
import { whyNoNamespaces } from '../cluster/laboratory.ts'
import { Network } from './network.ts'
import { DIRECTIONS, ENCRYPTIONS, type Program, WAYS } from './program.ts'
import { aria2 } from './programs/aria2.ts'
import { libtorrent } from './programs/libtorrent.ts'
import { qbittorrent } from './programs/qbittorrent.ts'
import { transmission } from './programs/transmission.ts'
import { type Transfer, transfer } from './transfer.ts'

// Running clients of p2pt and the programs that people run: each of them seeds and leeches, with every setting of encryption,
// found in every way. What a program cannot do is a skipped test with its reason.

const PROGRAMS = [libtorrent, qbittorrent, transmission, aria2]
const AT_A_TIME = 6
const WITHIN_MS = 60_000
/** Transmission joins a DHT at its leisure. */
const DHT_WITHIN_MS = 150_000

type Row = Omit<Transfer, 'program' | 'withinMs'>

/** With p2pt as it comes, every setting of the program; with the others of p2pt, the program as it comes. */
const ROWS: readonly Row[] = DIRECTIONS.flatMap((direction) => [
  ...WAYS.flatMap((way) => ENCRYPTIONS.map((encryption) => ({ direction, way, encryption, p2pt: 'allow' as const }))),
  ...(['require', 'refuse'] as const).map((p2pt) => ({
    ...{ direction, p2pt, encryption: 'as it comes' as const, way: 'named to p2pt' as const },
  })),
])

const titleOf = ({ direction, way, encryption, p2pt }: Row): string =>
  `${direction}, ${way}, ${encryption}${p2pt === 'allow' ? '' : `, p2pt told to ${p2pt} encryption`}`

const whyNot = (program: Program, { direction, way, encryption }: Row): string | undefined =>
  // The place of trackers in the matrix: to be taken out here once the engine announces to them.
  way === 'tracker' ? 'not supported yet' : program.cannot(direction, encryption, way)

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
