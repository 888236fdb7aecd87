/** Lines over time, with what each is at the end; as a picture, and as a table for whoever does not see it. */
import { useId, useState } from 'react';

export interface ChartLine {
  readonly name: string;
  readonly points: readonly { readonly atMs: number; readonly value: number }[];
}

export interface LineChartProps {
  readonly title: string;
  readonly lines: readonly ChartLine[];
  readonly format: (value: number) => string;
  readonly formatTime: (atMs: number) => string;
}

const width = 720;
const height = 180;
const colours = 8;
const shownTicks = 4;

/** Four even steps up to something at or above the most. */
function scaleOf(most: number): number {
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 1.5, 2, 3, 4, 5, 8, 10].map(step => step * power).find(top => top >= most) ?? most;
}

export function LineChart({ title, lines, format, formatTime }: LineChartProps) {
  const id = useId();
  const [near, setNear] = useState<number>();
  const times = lines.flatMap(({ points }) => points.map(({ atMs }) => atMs));
  const from = Math.min(...times);
  const to = Math.max(...times, from + 60_000);
  const top = scaleOf(Math.max(0, ...lines.flatMap(({ points }) => points.map(({ value }) => value))));
  const x = (atMs: number) => ((atMs - from) / (to - from)) * width;
  const y = (value: number) => height - (value / top) * height;
  const nearest = ({ points }: ChartLine) =>
    near === undefined
      ? points.at(-1)
      : points.reduce((best, one) => (Math.abs(one.atMs - near) < Math.abs(best.atMs - near) ? one : best), points[0]!);
  return (
    <figure className="chart" aria-labelledby={id}>
      <figcaption id={id}>
        <strong>{title}</strong> <span className="dim">{formatTime(near ?? to)}</span>
      </figcaption>
      <div className="chart-area">
        <svg
          viewBox={`0 0 ${width} ${height}`}
          preserveAspectRatio="none"
          aria-hidden="true"
          onPointerMove={event => {
            const box = event.currentTarget.getBoundingClientRect();
            setNear(from + ((event.clientX - box.left) / box.width) * (to - from));
          }}
          onPointerLeave={() => setNear(undefined)}
        >
          {Array.from({ length: shownTicks + 1 }, (_, tick) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the ticks are all alike
            <path key={tick} className="tick" d={`M0 ${(height * tick) / shownTicks}H${width}`} />
          ))}
          {lines.map(({ name, points }, at) => (
            <path
              key={name}
              className={`line-${at % colours}`}
              d={points
                .map((one, i) => `${i === 0 ? 'M' : 'L'}${x(one.atMs).toFixed(1)} ${y(one.value).toFixed(1)}`)
                .join('')
                // One alone is a dash: a line of no length is not seen.
                .concat(points.length === 1 ? 'h12' : '')}
            />
          ))}
          {near !== undefined && <path className="cursor" d={`M${x(near)} 0V${height}`} />}
        </svg>
        <span className="chart-top dim">{format(top)}</span>
      </div>
      <div className="chart-times dim" aria-hidden="true">
        <span>{formatTime(from)}</span>
        <span>{formatTime(to)}</span>
      </div>
      <table className="chart-legend">
        <tbody>
          {lines.map((line, at) => (
            <tr key={line.name}>
              <th scope="row">
                <i className={`line-${at % colours}`} /> {line.name}
              </th>
              <td className="number">{format(nearest(line)?.value ?? 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}
