import { setTimeout as wait } from 'node:timers/promises'
import type { Attack } from '../stage.ts'

/** What is no IPv4 address that can be dialled. */
export const HOSTS = ['node.example.org', 'localhost', '::1', '256.1.1.1', '127.0.0.1:80', '127.1', ' ', '0x7f000001']

const PROBED_WITHIN_MS = 1_500

/** Members whose address is no address: they say so, and go, so that they are dialled. */
export const hostNames: Attack = async (stage) => {
  let turn = 0
  await stage.again(0, async () => {
    const attackers = await stage.attackers()
    for (const attacker of attackers) {
      await attacker.linkAll()
      attacker.appear({ host: HOSTS[turn % HOSTS.length] ?? '', port: 4_711 }, turn + 1)
      turn++
    }
    await wait(300)
    await Promise.all(attackers.map((attacker) => attacker[Symbol.asyncDispose]()))
    await wait(PROBED_WITHIN_MS)
  })
}
