import { readdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Bench, mediansOf, type Result, resultOf } from './harness.ts'

// npm run bench -- NAME... [--json] [--rounds N] [--full] [--seconds N] [--torrents N] [--only PART]: exit 0 when every target is met, 1 when one is missed, 2 for usage.

const SUFFIX = '.bench.ts'
const known = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => file.slice(0, -SUFFIX.length))

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string' },
    torrents: { type: 'string' },
    only: { type: 'string' },
  },
})
const rounds = Number(values.rounds)
const seconds = values.seconds === undefined ? undefined : Number(values.seconds)
const torrents = values.torrents === undefined ? undefined : Number(values.torrents)
const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1
const isWrong = !isCount(rounds) || !isCount(torrents ?? 1) || !((seconds ?? 1) > 0)
const unknown = positionals.filter((name) => !known.includes(name))
if (positionals.length === 0 || unknown.length > 0 || isWrong) {
  const usage = 'usage: npm run bench -- NAME... [--json] [--rounds N] [--full] [--seconds N] [--torrents N] [--only PART]'
  console.error(`${usage}\nbenches: ${known.join(', ')}`)
  process.exit(2)
}

const results: Result[] = []
for (const name of positionals) {
  const { default: bench } = (await import(`./${name}${SUFFIX}`)) as { default: Bench }
  await bench({
    full: values.full,
    rounds,
    seconds,
    torrents,
    only: values.only,
    medians: (contenders) => mediansOf(rounds, contenders),
    note: (text) => console.error(`${name}: ${text}`),
    report: (finding) => {
      const result = resultOf(name, finding)
      results.push(result)
      if (values.json) console.log(JSON.stringify(result))
    },
  })
}

if (!values.json) printTable(results)
// Not by itself: of fifty DHT nodes that were closed in one process, a handle of their UDP library now and then stays behind.
process.exit(results.some(({ ok }) => !ok) ? 1 : 0)

function printTable(lines: readonly Result[]): void {
  const rows = lines.map(({ bench, name, value, unit, against, ratio, target, ok }) => [
    bench,
    name,
    `${value.toLocaleString('en')} ${unit}`,
    against === null ? '' : `${ratio}x ${against}`,
    target === null ? '' : `${ok ? 'met' : 'MISSED'}: ${target}`,
  ])
  const table = [['bench', 'what', 'value', 'compared', 'target'], ...rows]
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? []
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}
