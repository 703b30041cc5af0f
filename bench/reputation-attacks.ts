// The attacks of the trial: who is in the network, what they send, and what they say of others.

export type Attack = {
  readonly name: string
  /** Shares of all peers. */
  readonly corrupters: number
  readonly slanderers: number
  /** Shares of bad pieces, dealt out to the corrupters in turn. */
  readonly bad: readonly number[]
  /** `mixed`: each piece by chance. `on-off`: 50 good ones, then 10 bad ones. `selective`: bad to every second node alone. */
  readonly sends: 'mixed' | 'on-off' | 'selective'
  /** `all`: every honest peer is called bad and every corrupter good. `victims`: the truth of all but one honest peer in ten. */
  readonly slander: 'all' | 'victims'
  /** Keys of each slanderer, besides its own, that say what it says. */
  readonly sybils: number
  /** Corrupters praise one another, as often as others judge. */
  readonly isRing: boolean
  /** Corrupters take a new key when somebody has them below so many points; 0: never. */
  readonly whitewashBelow: number
  /** Share of honest peers whose disk spoils one piece in 500. */
  readonly badDisks: number
}

const PLAIN: Omit<Attack, 'name'> = {
  ...{ corrupters: 0.1, slanderers: 0, bad: [1, 0.5, 0.2, 0.15, 0.05], sends: 'mixed', slander: 'all' },
  ...{ sybils: 0, isRing: false, whitewashBelow: 0, badDisks: 0 },
}
const attack = (name: string, change: Partial<Attack>): Attack => ({ ...PLAIN, name, ...change })

export const ATTACKS: readonly Attack[] = [
  attack('corrupters 5 %', { corrupters: 0.05 }),
  attack('corrupters 10 %', {}),
  attack('corrupters 20 %', { corrupters: 0.2 }),
  attack('corrupters 40 %', { corrupters: 0.4 }),
  attack('slanderers 10 %', { slanderers: 0.1 }),
  attack('slanderers 20 %', { slanderers: 0.2 }),
  attack('slanderers 30 %', { slanderers: 0.3 }),
  attack('slanderers 50 %', { slanderers: 0.5 }),
  attack('slanderers 50 %, camouflaged', { slanderers: 0.5, slander: 'victims' }),
  attack('slanderers 5 %, 50 Sybils each', { slanderers: 0.05, sybils: 50 }),
  attack('corrupters change keys below 10 points', { bad: [1, 0.5], whitewashBelow: 10 }),
  attack('corrupters on and off', { sends: 'on-off', bad: [1 / 6] }),
  attack('a ring of corrupters that praises itself', { isRing: true }),
  attack('corrupters choose their victims', { sends: 'selective', bad: [0.5] }),
  attack('honest peers with bad disks', { badDisks: 0.2 }),
]
