/** A page with all objects of one kind in a cluster; what is filtered, sorted and chosen is in its address. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'wouter';
import { actions } from '../act/actions.ts';
import { BulkDialog } from '../act/BulkDialog.tsx';
import { SelectionBar } from '../act/SelectionBar.tsx';
import { kindName } from '../app/kind-name.ts';
import { acrossAddress, createAddress } from '../app/place.ts';
import { useViewState } from '../app/view-state.ts';
import { defaultSort, hasState } from '../list/columns.ts';
import { ListTools } from '../list/ListTools.tsx';
import { LiveList } from '../list/LiveList.tsx';
import { NamespacePicker, useChosenNamespaces } from '../list/NamespacePicker.tsx';
import { type RowsWish, useStateCounts } from '../list/rows.ts';
import { useShownColumns } from '../list/shown-columns.ts';
import { type Kind, useKinds } from '../net/kinds.ts';
import type { KubeObject } from '../net/objects.ts';
import { FilterInput } from '../parts/FilterInput.tsx';
import { Icon } from '../parts/Icon.tsx';
import { KindsAwaited } from '../parts/KindsAwaited.tsx';
import { Empty } from '../parts/Notices.tsx';
import { formatCount } from '../parts/quantity.ts';
import { Title } from '../parts/Title.tsx';
import { stateKey } from '../parts/tone.ts';

export function KindList() {
  const { t } = useTranslation();
  const { clusterId = '', plural = '' } = useParams<{ clusterId: string; plural: string }>();
  const kinds = useKinds(clusterId);
  if (!kinds.data) return <KindsAwaited kinds={kinds} />;
  const kind = kinds.data.get(plural);
  if (!kind) return <Empty isPage icon="help" title={t('list.noKind', { kind: plural })} hint={t('list.noKindHint')} />;
  return <List key={`${clusterId} ${plural}`} clusterId={clusterId} kind={kind} />;
}

/** Nobody makes these by hand. */
const madeByTheCluster: ReadonlySet<string> = new Set(['events', 'nodes']);
const removal = actions.find(({ name }) => name === 'remove')!;

function List({ clusterId, kind }: { readonly clusterId: string; readonly kind: Kind }) {
  const { t, i18n } = useTranslation();
  const [text, setText] = useViewState('q');
  const [sort, setSort] = useViewState('sort');
  const [state, setState] = useViewState('state');
  const row = useViewState('row');
  const [namespaces] = useChosenNamespaces();
  const [chosen, setChosen] = useState<ReadonlyMap<string, KubeObject>>(new Map());
  const [removing, setRemoving] = useState<readonly KubeObject[]>();
  const [labels, setLabels] = useState<readonly string[]>([]);
  const columns = useShownColumns(kind);
  const wish: RowsWish = { clusterId, kind, text, state, namespaces, sort: sort || defaultSort(kind) };
  const counts = useStateCounts(wish);
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const name = kindName(t, kind);
  const isFiltered = text !== '' || state !== '';
  const toggle = (row: KubeObject): void => {
    const next = new Map(chosen);
    if (!next.delete(row.id)) next.set(row.id, row);
    setChosen(next);
  };
  const ns = namespaces.length > 0 ? `?ns=${encodeURIComponent(namespaces.join(','))}` : '';
  const createLink = kind.canCreate && !madeByTheCluster.has(kind.plural) && (
    <Link className="button primary" href={createAddress(clusterId, kind.plural) + ns}>
      <Icon name="plus" />
      {t('list.create')}
    </Link>
  );
  const choose = (rows: readonly KubeObject[]): void => setChosen(new Map(rows.map(row => [row.id, row])));
  const seen = (rows: readonly KubeObject[]): void => {
    const next = [...new Set(rows.flatMap(({ metadata }) => Object.keys(metadata.labels ?? {})))].sort();
    if (next.join() !== labels.join()) setLabels(next);
  };
  return (
    <>
      <Title title={name} beside={<span className="facts">{formatCount(total, i18n.language)}</span>}>
        <div className="row">
          <Link className="button" href={acrossAddress(kind.plural)}>
            <Icon name="cluster" />
            {t('list.inAllClusters')}
          </Link>
          {total > 0 && createLink}
        </div>
      </Title>
      <div className="tools">
        {kind.namespaced && <NamespacePicker clusterId={clusterId} />}
        <FilterInput label={t('list.filter')} value={text} onChange={setText} />
        {hasState(kind) && <States counts={counts} state={state} choose={setState} />}
        <span className="spread" />
        <ListTools wish={wish} columns={columns} labels={labels} />
      </div>
      {chosen.size > 0 && <SelectionBar rows={[...chosen.values()]} wish={wish} total={total} choose={choose} />}
      {removing && (
        <BulkDialog
          action={removal}
          objects={removing}
          onClose={() => setRemoving(undefined)}
          onDone={() => choose([])}
        />
      )}
      <LiveList
        wish={wish}
        columns={columns.shown}
        kept={row}
        onSort={setSort}
        selection={{ chosen, toggle }}
        onSeen={seen}
        onRemove={row => {
          const rows = chosen.size > 0 ? [...chosen.values()] : [row];
          setRemoving(rows.map(one => ({ ...one, kind: kind.kind })));
        }}
        empty={
          isFiltered ? (
            <Empty icon="search" title={t('list.emptyFiltered')} hint={t('list.emptyFilteredHint', { kinds: name })} />
          ) : (
            <Empty title={t('list.emptyTitle', { kinds: name })} hint={t('list.emptyHint')}>
              {createLink}
            </Empty>
          )
        }
      />
    </>
  );
}

interface StatesProps {
  readonly counts: Readonly<Record<string, number>>;
  readonly state: string;
  readonly choose: (state: string) => void;
}

/** How many there are in each state; one is chosen by a click, and left by another. */
function States({ counts, state, choose }: StatesProps) {
  const { t } = useTranslation();
  const all = Object.entries(counts).sort(([, a], [, b]) => b - a);
  if (all.length < 2 && state === '') return null;
  const shown = state && !counts[state] ? [...all, [state, 0] as const] : all;
  return (
    <span className="chips">
      {shown.slice(0, 6).map(([name, count]) => (
        <button
          key={name}
          type="button"
          className="chip"
          aria-pressed={state === name}
          onClick={() => choose(state === name ? '' : name)}
        >
          {t(`states.${stateKey(name)}`, { defaultValue: name })} <b>{count}</b>
        </button>
      ))}
    </span>
  );
}
