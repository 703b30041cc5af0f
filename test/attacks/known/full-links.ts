import { setTimeout as wait } from 'node:timers/promises'
import type { Attack, Stage } from '../stage.ts'

/** So much of the time is for filling the places; a newcomer has the rest. */
const FILLED_WITHIN_MS = 15_000

/** As many as a newcomer looks for. */
const ANNOUNCED = 12

export const KNOWN = 'members that the newcomer has alive'
export const LINKED = 'members that the newcomer is linked with'
export const FALSELY_READY = 'looks at a newcomer that is ready and has no link to a member'

/** Keys that are found as others are, link with everybody, take all the places, and say nothing. Then somebody new comes. */
export const fullLinks: Attack = async (stage) => {
  const attackers = await stage.attackers({ announced: ANNOUNCED })
  const filling = stage.again(2_000, async () => {
    const { running } = stage.network.cluster
    // Who answers has been asked for its key: a look-up of the topic would have told it.
    const answers = await Promise.all(running.map((node) => node.status()))
    const nodes = running.filter((_, at) => answers[at] !== undefined)
    await Promise.all(attackers.map((attacker) => attacker.linkAll(nodes)))
  })
  await Promise.all([filling, newcomerIn(stage)])
}

async function newcomerIn(stage: Stage): Promise<void> {
  const { network } = stage
  const [newcomer] = network.newcomers
  if (newcomer === undefined) throw new RangeError('the network has no newcomer')
  await wait(FILLED_WITHIN_MS, undefined, { signal: stage.signal }).catch(() => {})
  newcomer.start()
  const members = new Set<string>(network.members.map(({ id }) => id))
  let falselyReady = 0
  await stage.again(250, async () => {
    // First: it may get one in between.
    const isReady = (await newcomer.status())?.ready === true
    const rows = await newcomer.members()
    const known = rows.filter(({ id, state }) => members.has(id) && state === 'alive').length
    const links = (await newcomer.ask((node) => node.links())) ?? []
    const linked = links.filter(({ peer }) => members.has(peer)).length
    if (isReady && linked === 0) falselyReady++
    stage.fact(KNOWN, known)
    stage.fact(LINKED, linked)
    stage.fact(FALSELY_READY, falselyReady)
  })
}
