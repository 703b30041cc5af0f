import type { Scenario } from '../stage.ts'

export const quiet: Scenario = {
  proves: 'nobody is declared dead in ten minutes of 5 % loss with slow nodes among them',
  nodes: 15,
  nodesMax: 1_000,
  options: { loss: 0.05, slow: 0.1, slowMs: 400 },
  async tell(stage) {
    await stage.everybodyStarts()
    stage.figures.bytesPerSecond = await stage.traffic(600)
    await stage.nobodyDied()
    await stage.everybodyIsAliveWithin(10)
  },
}
