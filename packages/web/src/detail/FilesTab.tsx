/** The files of a container: from folder to folder, down with a click, up by choosing or dropping, with what is on its way and how far. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type DragEvent, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useViewState } from '../app/view-state.ts';
import type { KubeObject } from '../net/objects.ts';
import { Icon } from '../parts/Icon.tsx';
import { Empty, Failure, FormError, Skeleton } from '../parts/Notices.tsx';
import { formatBytes, formatTime } from '../parts/quantity.ts';
import { type FileEntry, type FilePlace, filesPath, joinPath, readFolder, sendFile } from './file-transfer.ts';
import { useLogSources } from './log-sources.ts';

interface Sending {
  readonly id: number;
  readonly name: string;
  readonly size: number;
  readonly sent: number;
  readonly error?: unknown;
  readonly stop: () => void;
}

export function FilesTab({ clusterId, object }: { readonly clusterId: string; readonly object: KubeObject }) {
  const { t } = useTranslation();
  const [wanted, setWanted] = useViewState('container');
  const sources = useLogSources(clusterId, object);
  const source = sources.find(({ container }) => container === wanted) ?? sources.at(-1);
  if (!source) return <Empty title={t('files.empty')} />;
  return (
    <Files
      key={source.container}
      place={{ clusterId, ...source }}
      containers={sources.map(({ container }) => container)}
      onContainer={setWanted}
    />
  );
}

interface FilesProps {
  readonly place: FilePlace;
  readonly containers: readonly string[];
  readonly onContainer: (name: string) => void;
}

function Files({ place, containers, onContainer }: FilesProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [chosen, setPath] = useViewState('path');
  const [sending, setSending] = useState<readonly Sending[]>([]);
  const last = useRef(0);
  const path = chosen || '/';
  const key = ['files', place.clusterId, place.namespace, place.pod, place.container, path];
  const found = useQuery({ queryKey: key, queryFn: ({ signal }) => readFolder(place, path, signal), retry: false });
  const upload = (files: readonly File[]): void => {
    for (const file of files) {
      const id = ++last.current;
      const controller = new AbortController();
      const update = (change: Partial<Sending>): void =>
        setSending(all => all.map(one => (one.id === id ? { ...one, ...change } : one)));
      const drop = (): void => setSending(all => all.filter(one => one.id !== id));
      const stop = (): void => {
        controller.abort();
        drop();
      };
      setSending(all => [...all, { id, name: file.name, size: file.size, sent: 0, stop }]);
      const { signal } = controller;
      sendFile({ place, path: joinPath(path, file.name), file, signal, onProgress: sent => update({ sent }) }).then(
        () => {
          drop();
          void client.invalidateQueries({ queryKey: key });
        },
        (error: unknown) => controller.signal.aborted || update({ error }),
      );
    }
  };
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    upload([...event.dataTransfer.files]);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the button does the same
    <div className="files" onDragOver={event => event.preventDefault()} onDrop={onDrop}>
      <div className="tools">
        {containers.length > 1 && (
          <select
            value={place.container}
            aria-label={t('detail.containers')}
            onChange={event => onContainer(event.target.value)}
          >
            {containers.map(name => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
        <Crumbs path={path} go={setPath} />
        <span className="spread" />
        <label className="button">
          <Icon name="upload" />
          {t('files.upload')}
          <input
            type="file"
            className="unseen"
            multiple
            onChange={event => {
              upload([...(event.target.files ?? [])]);
              event.target.value = '';
            }}
          />
        </label>
        <a className="button" href={filesPath(place, path, { archive: 'true' })} download>
          <Icon name="download" />
          {t('files.archive')}
        </a>
      </div>
      {sending.map(one => (
        <div key={one.id} className="sending">
          <span className="strong">{one.name}</span>
          {one.error ? (
            <FormError error={one.error} />
          ) : (
            <progress max={Math.max(1, one.size)} value={one.sent} aria-label={one.name} />
          )}
          <span className="dim">{t('files.sent', { sent: formatBytes(one.sent), size: formatBytes(one.size) })}</span>
          <button type="button" className="plain" aria-label={t('files.stop', { name: one.name })} onClick={one.stop}>
            <Icon name="close" />
          </button>
        </div>
      ))}
      {found.isPending && <Skeleton />}
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.data?.entries.length === 0 && <Empty icon="folder" title={t('files.empty')} hint={t('files.emptyHint')} />}
      {found.data && found.data.entries.length > 0 && <Entries place={place} folder={found.data} go={setPath} />}
    </div>
  );
}

function Crumbs({ path, go }: { readonly path: string; readonly go: (path: string) => void }) {
  const { t } = useTranslation();
  const parts = path.split('/').filter(Boolean);
  return (
    <nav className="crumbs" aria-label={t('files.path')}>
      <button type="button" className="plain" onClick={() => go('')}>
        /
      </button>
      {parts.map((part, at) => (
        <button
          // biome-ignore lint/suspicious/noArrayIndexKey: a folder may lie in one of the same name
          key={at}
          type="button"
          className="plain"
          onClick={() => go(`/${parts.slice(0, at + 1).join('/')}`)}
        >
          {part}
        </button>
      ))}
    </nav>
  );
}

const icons = { folder: 'folder', file: 'file', link: 'file', other: 'file' } as const;

interface EntriesProps {
  readonly place: FilePlace;
  readonly folder: { readonly path: string; readonly entries: readonly FileEntry[]; readonly complete: boolean };
  readonly go: (path: string) => void;
}

function Entries({ place, folder, go }: EntriesProps) {
  const { t, i18n } = useTranslation();
  const rank = ({ kind }: FileEntry) => (kind === 'folder' ? 0 : 1);
  const rows = [...folder.entries].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
  return (
    <div className="table-frame">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{t('list.name')}</th>
            <th scope="col" className="number">
              {t('files.size')}
            </th>
            <th scope="col">{t('files.modified')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, kind, size, modified }) => (
            <tr key={name}>
              <th scope="row">
                <Icon name={icons[kind]} />{' '}
                {kind === 'file' ? (
                  <a href={filesPath(place, joinPath(folder.path, name))} download>
                    {name}
                  </a>
                ) : (
                  // A link may lead to a folder, and says so when it does not.
                  <button type="button" className="plain" onClick={() => go(joinPath(folder.path, name))}>
                    {name}
                  </button>
                )}
              </th>
              <td className="number dim">{kind === 'file' ? formatBytes(size) : ''}</td>
              <td className="dim">{formatTime(new Date(modified * 1000).toISOString(), i18n.language)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {!folder.complete && <p className="hint-line">{t('files.cutOff', { count: rows.length })}</p>}
    </div>
  );
}
