/**
 * A group of the map as a picture: columns of links with lines between them. Left and right go along the lines, up and down within a column;
 * who does not see the lines has the list, which says the same.
 */
import type { KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { addressOf } from '../app/place.ts';
import { Icon, type IconName } from '../parts/Icon.tsx';
import { stateKey, toneOf } from '../parts/tone.ts';
import { columnOf, columns, type MapGroup, type MapNode } from './graph.ts';

const width = 196;
const height = 40;
const gapX = 56;
const gapY = 8;
const icons: readonly IconName[] = ['network', 'workload', 'workload', 'workload', 'config', 'storage'];

interface Placed {
  readonly node: MapNode;
  readonly x: number;
  readonly y: number;
}

/** Only columns that have something take room. */
function placedOf(nodes: readonly MapNode[]): Map<string, Placed> {
  const used = columns.map((_, column) => column).filter(column => nodes.some(node => columnOf(node) === column));
  const rows = new Map<number, number>();
  return new Map(
    nodes.map(node => {
      const column = columnOf(node);
      const row = rows.get(column) ?? 0;
      rows.set(column, row + 1);
      return [node.key, { node, x: used.indexOf(column) * (width + gapX), y: row * (height + gapY) }];
    }),
  );
}

const idOf = (key: string): string => `map-${key}`;

export function MapPicture({ group, clusterId }: { readonly group: MapGroup; readonly clusterId: string }) {
  const { t } = useTranslation();
  const placed = placedOf(group.nodes);
  const all = [...placed.values()];
  const right = Math.max(...all.map(({ x }) => x)) + width;
  const bottom = Math.max(...all.map(({ y }) => y)) + height;
  const top = group.nodes[0]!;
  const go = (event: KeyboardEvent, from: Placed): void => {
    const next = neighbour(event.key, from, { group, placed });
    if (!next) return;
    event.preventDefault();
    document.getElementById(idOf(next))?.focus();
  };
  return (
    <section className="map-group" aria-label={t('map.group', { kind: top.kind, name: top.name })}>
      {/* Up to the right edge it is scrolled by going along the links. */}
      <div className="map-picture" style={{ inlineSize: right, blockSize: bottom }}>
        <svg width={right} height={bottom} aria-hidden="true">
          {group.edges.map(({ from, to, rel }) => (
            <path key={`${from} ${to}`} className={rel} d={line(placed.get(from)!, placed.get(to)!)} />
          ))}
        </svg>
        {all.map(one => (
          <Box key={one.node.key} placed={one} clusterId={clusterId} onKeyDown={event => go(event, one)} />
        ))}
      </div>
    </section>
  );
}

interface BoxProps {
  readonly placed: Placed;
  readonly clusterId: string;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

function Box({ placed: { node, x, y }, clusterId, onKeyDown }: BoxProps) {
  const { t } = useTranslation();
  const tone = node.state ? toneOf(node.state) : 'idle';
  const word = node.state && t(`states.${stateKey(node.state.name)}`, { defaultValue: node.state.name });
  return (
    <Link
      id={idOf(node.key)}
      className={`map-node ${tone}`}
      href={addressOf(clusterId, node.plural, node.id)}
      style={{ insetInlineStart: x, insetBlockStart: y, inlineSize: width, blockSize: height }}
      title={[node.name, word].filter(Boolean).join(' · ')}
      onKeyDown={onKeyDown}
    >
      <Icon name={tone === 'bad' ? 'bad' : icons[columnOf(node)]!} className={tone} />
      <span>
        <small>
          {node.kind}
          {tone !== 'ok' && tone !== 'idle' && ` · ${word}`}
        </small>
        <span className="name">{node.name}</span>
      </span>
      {node.more && (
        <span className="more" title={t('map.more', { count: node.more })}>
          +{node.more}
          <span className="unseen"> {t('map.more', { count: node.more })}</span>
        </span>
      )}
    </Link>
  );
}

function line(from: Placed, to: Placed): string {
  const [a, b] = from.x <= to.x ? [from, to] : [to, from];
  const [y1, y2] = [a.y + height / 2, b.y + height / 2];
  if (a.x === b.x) return `M${a.x} ${y1}C${a.x - gapX / 2} ${y1} ${a.x - gapX / 2} ${y2} ${b.x} ${y2}`;
  const [x1, x2] = [a.x + width, b.x];
  return `M${x1} ${y1}C${x1 + gapX / 2} ${y1} ${x2 - gapX / 2} ${y2} ${x2} ${y2}`;
}

interface Around {
  readonly group: MapGroup;
  readonly placed: ReadonlyMap<string, Placed>;
}

/** Where an arrow key leads; undefined where there is nothing. */
function neighbour(key: string, from: Placed, { group, placed }: Around): string | undefined {
  const others = [...placed.values()].filter(one => one !== from);
  if (key === 'ArrowUp' || key === 'ArrowDown') {
    const step = key === 'ArrowUp' ? -1 : 1;
    return nearest(
      others.filter(({ x, y }) => x === from.x && (y - from.y) * step > 0),
      from,
    );
  }
  if (key !== 'ArrowLeft' && key !== 'ArrowRight') return undefined;
  const step = key === 'ArrowLeft' ? -1 : 1;
  const linked = group.edges.flatMap(edge =>
    edge.from === from.node.key ? [edge.to] : edge.to === from.node.key ? [edge.from] : [],
  );
  return nearest(
    others.filter(({ node, x }) => linked.includes(node.key) && (x - from.x) * step > 0),
    from,
  );
}

function nearest(all: readonly Placed[], from: Placed): string | undefined {
  const far = ({ x, y }: Placed) => Math.abs(x - from.x) + Math.abs(y - from.y);
  return [...all].sort((a, b) => far(a) - far(b))[0]?.node.key;
}
