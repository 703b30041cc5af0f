import type { Attack } from '../stage.ts'

/** Keys that are found as others are, link with everybody, take all the places, and say nothing. */
export const fullLinks: Attack = async (stage) => {
  const attackers = await stage.attackers({ announced: true })
  await stage.again(2_000, async () => {
    const { running } = stage.network.cluster
    // Who answers has been asked for its key: a look-up of the topic would have told it.
    const answers = await Promise.all(running.map((node) => node.status()))
    const nodes = running.filter((_, at) => answers[at] !== undefined)
    await Promise.all(attackers.map((attacker) => attacker.linkAll(nodes)))
  })
}
