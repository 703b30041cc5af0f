// Plots as SVG, from numbers alone: lines over one axis, and bars. They are read on a light and on a dark page.

const [WIDTH, HEIGHT] = [720, 360]
const [LEFT, RIGHT, TOP, BOTTOM] = [70, 190, 40, 50]
const COLOURS = ['#c0392b', '#e67e22', '#8e44ad', '#2980b9', '#27ae60']

export type Line = { readonly name: string; readonly points: readonly (readonly [x: number, y: number | undefined])[] }
export type Axes = {
  readonly title: string
  readonly x: string
  readonly y: string
  readonly xTicks: readonly number[]
  readonly yTicks: readonly number[]
  /** Equal steps are equal factors. */
  readonly isLog?: boolean
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const label = (x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end'): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escaped(text)}</text>`

/** Lines; where a point has no value, a line ends. */
export function linePlot({ title, x, y, xTicks, yTicks, isLog = false }: Axes, lines: readonly Line[]): string {
  const [xMin, xMax] = [Math.min(...xTicks), Math.max(...xTicks)]
  const scale = (value: number): number => (isLog ? Math.log(value) : value)
  const [yMin, yMax] = [scale(Math.min(...yTicks)), scale(Math.max(...yTicks))]
  const across = (value: number): number => LEFT + ((value - xMin) / (xMax - xMin)) * (WIDTH - LEFT - RIGHT)
  const up = (value: number): number => HEIGHT - BOTTOM - ((scale(value) - yMin) / (yMax - yMin)) * (HEIGHT - TOP - BOTTOM)
  const grid = yTicks.map(
    (tick) =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${up(tick).toFixed(1)}" y2="${up(tick).toFixed(1)}" stroke="#bbb"/>${label(LEFT - 8, up(tick) + 4, tick.toLocaleString('en'), 'end')}`,
  )
  const below = xTicks.map((tick) => label(across(tick), HEIGHT - BOTTOM + 18, `${tick}`, 'middle'))
  const drawn = lines.map(({ name, points }, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? ''
    const known = points.filter((point): point is [number, number] => point[1] !== undefined)
    const path = known.map(([at, value]) => `${across(at).toFixed(1)},${up(value).toFixed(1)}`).join(' ')
    const marks = known.map(
      ([at, value]) => `<circle cx="${across(at).toFixed(1)}" cy="${up(value).toFixed(1)}" r="3" fill="${colour}"/>`,
    )
    const key = TOP + 20 * index
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2" stroke-dasharray="${DASHES[index % DASHES.length]}"/>${marks.join('')}<line x1="${WIDTH - RIGHT + 15}" x2="${WIDTH - RIGHT + 40}" y1="${key}" y2="${key}" stroke="${colour}" stroke-width="2" stroke-dasharray="${DASHES[index % DASHES.length]}"/>${label(WIDTH - RIGHT + 46, key + 4, name, 'start')}`
  })
  return picture(title, [...grid, ...below, ...drawn, ...names(x, y)])
}

/** Lines that lie on one another are still told apart. */
const DASHES = ['none', '8 3', '2 3', '10 3 2 3', '5 5']

/** A group of bars for each row. */
export function barPlot(
  title: string,
  x: string,
  policies: readonly string[],
  rows: readonly { name: string; values: readonly number[] }[],
): string {
  const highest = Math.max(1, ...rows.flatMap(({ values }) => values))
  const [from, bar] = [290, 9]
  const group = bar * policies.length + 10
  const height = TOP + 24 + rows.length * group + 30
  const drawn = rows.map(({ name, values }, row) => {
    const top = TOP + 24 + row * group
    const bars = values.map((value, index) => {
      const width = (value / highest) * (WIDTH - from - 70)
      const y = top + index * bar
      return `<rect x="${from}" y="${y}" width="${width.toFixed(1)}" height="${bar - 2}" fill="${COLOURS[index % COLOURS.length]}"/><text x="${(from + width + 4).toFixed(1)}" y="${y + 7}" font-size="8">${value.toFixed(1)}</text>`
    })
    return `${label(from - 8, top + group / 2, name, 'end')}${bars.join('')}`
  })
  const key = policies.map(
    (name, index) =>
      `<rect x="${20 + index * 135}" y="${TOP - 2}" width="10" height="10" fill="${COLOURS[index % COLOURS.length]}"/>${label(34 + index * 135, TOP + 7, name, 'start')}`,
  )
  return picture(title, [...key, ...drawn, label(from, height - 8, x, 'start')], height)
}

const names = (x: string, y: string): string[] => [
  label(LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 10, x, 'middle'),
  `<text transform="translate(16 ${HEIGHT / 2}) rotate(-90)" text-anchor="middle">${escaped(y)}</text>`,
]

function picture(title: string, parts: readonly string[], height = HEIGHT): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12" fill="#222" role="img" aria-label="${escaped(title)}">
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text x="20" y="22" font-size="15">${escaped(title)}</text>
${parts.join('\n')}
</svg>
`
}
