import { engineContract } from './engine.contract.ts'

engineContract('p2pt')
