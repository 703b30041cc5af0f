import { equal } from 'node:assert/strict'
import { unknownCommand } from '../../../src/cli/services/unknown-command.ts'

describe('words that are no command', () => {
  const commands = [
    ...['demo', 'client search', 'client status', 'client dht', 'index search', 'index status', 'node status', 'node stop'],
    ...['bootstrap start', 'index start', 'client start', 'log repair', 'reputation explain', 'reputation list'],
  ]
  const told = (typed: string): string => unknownCommand(typed.split(' '), commands)

  it('lead to the commands of that name, whatever is behind it', () => {
    equal(told('search'), 'there is no command `search`: did you mean `p2pt client search` or `p2pt index search`?')
    equal(
      told('status now'),
      'there is no command `status now`: did you mean `p2pt client status`, `p2pt index status` or `p2pt node status`?',
    )
  })

  it('lead to commands that are a slip or two away, in either word or both', () => {
    equal(told('client serach x'), 'there is no command `client serach x`: did you mean `p2pt client search`?')
    equal(told('reputaton explain'), 'there is no command `reputaton explain`: did you mean `p2pt reputation explain`?')
    equal(told('clinet statsu'), 'there is no command `clinet statsu`: did you mean `p2pt client status`?')
    equal(told('repiar'), 'there is no command `repiar`: did you mean `p2pt log repair`?')
    equal(told('dmeo'), 'there is no command `dmeo`: see `p2pt --help`', 'two changes are half of it')
  })

  it('behind a command are what it does not take', () => {
    equal(told('client dht too many'), '`p2pt client dht` does not take `too many`: see `p2pt client dht --help`')
    equal(told('demo x'), '`p2pt demo` does not take `x`: see `p2pt demo --help`')
  })

  it('lead to the help where nothing is near, or too much', () => {
    equal(told('nonsense'), 'there is no command `nonsense`: see `p2pt --help`')
    equal(told('client xy'), 'there is no command `client xy`: see `p2pt --help`')
    const five = ['a go', 'b go', 'c go', 'd go', 'e go']
    equal(unknownCommand(['go'], five), 'there is no command `go`: see `p2pt --help`')
    equal(unknownCommand(['go'], five.slice(1)).includes('did you mean'), true)
  })
})
