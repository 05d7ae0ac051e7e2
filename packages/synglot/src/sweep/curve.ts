/** The curve of a swept number, such as α, as an SVG picture: mAP in three settings beside rank distance. */
import type { MeanInterval } from './interval.js';
import type { Figure, SettingSummary, SweepSummary } from './summary.js';

export interface Curve {
  /** What is the same along the curve; empty where nothing else was swept. */
  readonly name: string;
  readonly svg: string;
}

const panel = { width: 360, height: 260, left: 52, right: 12, top: 46, bottom: 42, gap: 24 };
const lines: readonly { readonly figure: Figure; readonly color: string; readonly label: string }[] = [
  { figure: 'mAP monolingual', color: '#2f6f9f', label: 'monolingual' },
  { figure: 'mAP cross-lingual', color: '#c1592f', label: 'cross-lingual' },
  { figure: 'mAP multilingual', color: '#4a7c3a', label: 'multilingual' },
];
const distance = { figure: 'rank distance', color: '#5b4a8a', label: 'rank distance' } as const;

interface Point {
  readonly x: number;
  readonly setting: SettingSummary;
}

/** One picture for each combination of the other keys; none where `key` has fewer than two numbers. */
export function curvesOf(summary: SweepSummary, key: string): Curve[] {
  const groups = new Map<string, Point[]>();
  for (const setting of summary.settings) {
    const value = setting.values.find((each) => each.startsWith(`${key}=`))?.slice(key.length + 1);
    const x = value === undefined || value === '' ? Number.NaN : Number(value);
    if (!Number.isFinite(x) || setting.chosen === false) continue;
    const others = setting.values.filter((each) => !each.startsWith(`${key}=`));
    // A chosen rate belongs to its point; it does not split the curve.
    const same = setting.chosen
      ? others.filter((each) => !each.startsWith('optimizer.learning_rate='))
      : others;
    const several = new Set(summary.settings.map(({ config }) => config)).size > 1;
    const name = [...(several ? [setting.config] : []), ...same].join(', ');
    groups.set(name, [...(groups.get(name) ?? []), { x, setting }]);
  }
  return [...groups].flatMap(([name, points]) =>
    points.length < 2
      ? []
      : [
          {
            name,
            svg: picture(
              key,
              name,
              points.sort((a, b) => a.x - b.x),
              summary,
            ),
          },
        ],
  );
}

function picture(key: string, name: string, points: readonly Point[], summary: SweepSummary): string {
  const width = 2 * panel.width + panel.gap;
  const about = `${summary.collection}, ${summary.langs.length} languages, ${summary.queries} questions, ${summary.seeds.length} seed${summary.seeds.length === 1 ? '' : 's'}${name ? `; ${name}` : ''}`;
  const label = key === 'sampling.alpha' ? 'α: share of monolingual batches' : key;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${panel.height + 20}" viewBox="0 0 ${width} ${panel.height + 20}" font-family="system-ui, sans-serif" font-size="11" fill="#333" role="img">
<title>${escapeXml(`mAP and rank distance by ${key}`)}</title>
<desc>${escapeXml(about)}</desc>
<rect width="100%" height="100%" fill="#fff"/>
${chart(0, 'mAP', label, points, lines)}
${chart(panel.width + panel.gap, 'rank distance (lower is less bias)', label, points, [distance])}
<text x="${panel.left}" y="${panel.height + 14}" fill="#777" font-size="10">${escapeXml(about)}${summary.seeds.length > 1 ? '; bars: 95% over seeds' : ''}</text>
</svg>
`;
}

function chart(
  left: number,
  title: string,
  label: string,
  points: readonly Point[],
  series: readonly { readonly figure: Figure; readonly color: string; readonly label: string }[],
): string {
  const values = series.flatMap(({ figure }) =>
    points.flatMap(({ setting }) => ends(setting.figures[figure])),
  );
  const xs = points.map(({ x }) => x);
  const [low, high] = padded(values);
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  const x0 = left + panel.left;
  const x1 = left + panel.width - panel.right;
  const y0 = panel.height - panel.bottom;
  const xOf = (x: number) => (x0 + 8 + ((x - first) / (last - first)) * (x1 - x0 - 16)).toFixed(1);
  const yOf = (y: number) => (y0 - ((y - low) / (high - low)) * (y0 - panel.top)).toFixed(1);
  const { ticks, digits } = ticksBetween(low, high);
  const parts = [
    `<text x="${x0}" y="18" font-size="13" font-weight="600">${escapeXml(title)}</text>`,
    ...ticks.map(
      (tick) =>
        `<line x1="${x0}" x2="${x1}" y1="${yOf(tick)}" y2="${yOf(tick)}" stroke="#e3e3e3"/><text x="${x0 - 6}" y="${Number(yOf(tick)) + 4}" text-anchor="end">${tick.toFixed(digits)}</text>`,
    ),
    ...xs.map((x) => `<text x="${xOf(x)}" y="${y0 + 16}" text-anchor="middle">${x}</text>`),
    `<text x="${(x0 + x1) / 2}" y="${y0 + 34}" text-anchor="middle">${escapeXml(label)}</text>`,
  ];
  for (const [index, { figure, color, label: called }] of series.entries()) {
    const found = points.flatMap(({ x, setting }) => {
      const value = setting.figures[figure];
      return value ? [{ x, value }] : [];
    });
    const path = found.map(({ x, value }) => `${xOf(x)},${yOf(value.mean)}`).join(' ');
    parts.push(`<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>`);
    for (const { x, value } of found) {
      if (value.low !== null) {
        parts.push(
          `<line x1="${xOf(x)}" x2="${xOf(x)}" y1="${yOf(value.low)}" y2="${yOf(value.high!)}" stroke="${color}"/>`,
        );
      }
      parts.push(`<circle cx="${xOf(x)}" cy="${yOf(value.mean)}" r="3.5" fill="${color}"/>`);
    }
    if (series.length > 1) {
      const at = x0 + index * 100;
      parts.push(
        `<circle cx="${at + 4}" cy="32" r="4" fill="${color}"/><text x="${at + 13}" y="36">${called}</text>`,
      );
    }
  }
  return parts.join('\n');
}

function ends(value: MeanInterval | null): number[] {
  return value ? [value.mean, value.low ?? value.mean, value.high ?? value.mean] : [];
}

/** Round numbers within a range, four to nine of them, and the digits that they need. */
export function ticksBetween(low: number, high: number): { ticks: number[]; digits: number } {
  const power = 10 ** Math.floor(Math.log10((high - low) / 4));
  const step = power * ([5, 2, 1].find((factor) => (high - low) / (factor * power) >= 4) ?? 1);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return { ticks: Array.from({ length: count }, (_, index) => (first + index) * step), digits };
}

/** A range with room above and below; not empty. */
function padded(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

function escapeXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
