/** The map in words: each line of it as a row of a table, which says the same to whoever does not see the picture. */
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { addressOf } from '../app/place.ts';
import { State } from '../parts/State.tsx';
import type { MapGroup, MapNode } from './graph.ts';

export function MapList({ group, clusterId }: { readonly group: MapGroup; readonly clusterId: string }) {
  const { t } = useTranslation();
  const byKey = new Map(group.nodes.map(node => [node.key, node]));
  const top = group.nodes[0]!;
  return (
    <div className="table-frame map-list">
      <table className="table">
        <caption>{t('map.group', { kind: top.kind, name: top.name })}</caption>
        <thead>
          <tr>
            <th scope="col">{t('map.from')}</th>
            <th scope="col">{t('map.relation')}</th>
            <th scope="col">{t('map.to')}</th>
          </tr>
        </thead>
        <tbody>
          {group.edges.map(({ from, to, rel }) => (
            <tr key={`${from} ${to}`}>
              <td>
                <Named node={byKey.get(from)!} clusterId={clusterId} />
              </td>
              <td className="dim">{t(`map.rel.${rel}`)}</td>
              <td>
                <Named node={byKey.get(to)!} clusterId={clusterId} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Named({ node, clusterId }: { readonly node: MapNode; readonly clusterId: string }) {
  const { t } = useTranslation();
  const { kind, name, plural, id, state, more } = node;
  return (
    <>
      <Link href={addressOf(clusterId, plural, id)}>
        {kind} <span className="strong">{name}</span>
      </Link>{' '}
      {state?.error && <State state={state} />}
      {more && <span className="dim">{t('map.more', { count: more })}</span>}
    </>
  );
}
