/** Which namespaces lists show: chosen here, applied by the server, kept in the address from list to list. */

import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useViewState } from '../app/view-state.ts';
import { clusterRoot } from '../net/kinds.ts';
import type { Collection } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { useLive } from '../net/use-live.ts';
import { useV3List } from '../net/v3.ts';
import { Icon } from '../parts/Icon.tsx';
import { Menu } from '../parts/Menu.tsx';

export function useNamespaces(clusterId: string): readonly string[] {
  const key = ['namespaces', clusterId];
  const root = clusterRoot(clusterId);
  useLive(root, 'namespace', key);
  const { data } = useQuery({
    queryKey: key,
    queryFn: async ({ signal }) =>
      (await ask<Collection>(`${root}/namespaces?sort=metadata.name&include=metadata.name`, { signal })).data,
  });
  return data?.map(({ metadata }) => metadata.name) ?? [];
}

/** The projects of a cluster that this person may see; `projectsornamespaces` takes their names like those of namespaces. */
function useProjects(clusterId: string): readonly { readonly id: string; readonly name: string }[] {
  const { data } = useV3List(
    `/v3/projects?clusterId=${encodeURIComponent(clusterId)}&sort=name`,
    'management.cattle.io.project',
  );
  return (data?.data ?? []).map(({ id, name }) => ({ id: id.split(':')[1] ?? id, name: name || id }));
}

/** The chosen ones; none means all. */
export function useChosenNamespaces(): [readonly string[], (names: readonly string[]) => void] {
  const [text, setText] = useViewState('ns');
  return [text.split(',').filter(Boolean), names => setText(names.join(','))];
}

export function NamespacePicker({ clusterId }: { readonly clusterId: string }) {
  const { t } = useTranslation();
  const all = useNamespaces(clusterId);
  const projects = useProjects(clusterId);
  const [chosen, choose] = useChosenNamespaces();
  const [text, setText] = useState('');
  const label =
    chosen.length === 0
      ? t('list.allNamespaces')
      : chosen.length === 1
        ? (projects.find(({ id }) => id === chosen[0])?.name ?? chosen[0]!)
        : t('list.someNamespaces', { count: chosen.length });
  const toggle = (name: string): void =>
    choose(chosen.includes(name) ? chosen.filter(one => one !== name) : [...chosen, name]);
  return (
    <Menu
      label={`${t('list.namespaces')}: ${label}`}
      onOpen={() => setText('')}
      button={
        <>
          {label}
          <Icon name="down" />
        </>
      }
    >
      <input
        type="search"
        value={text}
        placeholder={t('list.findNamespace')}
        aria-label={t('list.findNamespace')}
        onChange={event => setText(event.target.value)}
      />
      <label className="pick">
        <input type="checkbox" checked={chosen.length === 0} onChange={() => choose([])} />
        <span>{t('list.allNamespaces')}</span>
      </label>
      {projects.length > 0 && <h3 className="menu-head">{t('list.projects')}</h3>}
      {projects
        .filter(({ name }) => name.toLowerCase().includes(text.trim().toLowerCase()))
        .map(({ id, name }) => (
          <label key={id} className="pick">
            <input type="checkbox" checked={chosen.includes(id)} onChange={() => toggle(id)} />
            <span>{name}</span>
          </label>
        ))}
      {projects.length > 0 && <h3 className="menu-head">{t('list.namespaces')}</h3>}
      {[...new Set([...chosen, ...all])]
        .filter(name => name.includes(text.trim()) && !projects.some(({ id }) => id === name))
        .map(name => (
          <label key={name} className="pick">
            <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} />
            <span>{name}</span>
          </label>
        ))}
    </Menu>
  );
}
