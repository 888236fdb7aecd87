/** The audit log for who may read it: newest first, by person, deed, resource, outcome and period, all of which are in the address. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useViewState } from '../app/view-state.ts';
import { ask } from '../net/request.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Empty, Failure, Skeleton } from '../parts/Notices.tsx';
import { formatTime } from '../parts/quantity.ts';
import { Title } from '../parts/Title.tsx';
import { useSettled } from '../parts/use-settled.ts';

interface AuditRecord {
  readonly auditID: string;
  readonly at: string;
  readonly stage: string;
  readonly user?: { readonly name?: string };
  readonly userLoginName?: string;
  readonly verb: string;
  readonly resource: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly cluster?: string;
  readonly outcome: 'done' | 'refused' | 'failed';
  readonly responseCode: number;
  readonly remoteAddr: string;
  readonly requestTimestamp: string;
}

interface AuditPage {
  readonly state: 'off' | 'elsewhere' | 'kept';
  readonly data: readonly AuditRecord[];
  readonly next: string | null;
  readonly searchedTo: string | null;
}

const verbs = ['change', 'all', 'create', 'update', 'patch', 'delete', 'login', 'connect'] as const;
const outcomes = ['all', 'done', 'refused', 'failed'] as const;
const periods = ['1', '24', '168', 'all'] as const;
const icons = { done: 'ok', refused: 'access', failed: 'bad' } as const;
const tones = { done: 'ok', refused: 'warn', failed: 'bad' } as const;
const hourMs = 3_600_000;
const pauseMs = 300;

function useAudit(wish: Readonly<Record<string, string>>, period: string) {
  return useInfiniteQuery({
    queryKey: ['audit', wish, period],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) => {
      const query = new URLSearchParams(Object.entries(wish).filter(([, value]) => value !== ''));
      if (period !== 'all') query.set('since', new Date(Date.now() - Number(period) * hourMs).toISOString());
      if (pageParam) query.set('before', pageParam);
      return ask<AuditPage>(`/v1-audit?${query}`, { signal });
    },
    getNextPageParam: last => last.next ?? undefined,
  });
}

export function Audit() {
  const { t, i18n } = useTranslation();
  const [user, setUser] = useViewState('user');
  const [resource, setResource] = useViewState('resource');
  const [verb, setVerb] = useViewState('verb');
  const [outcome, setOutcome] = useViewState('outcome');
  const [period, setPeriod] = useViewState('period');
  const [shown, setShown] = useState<string>();
  const wish = {
    user: useSettled(user, pauseMs),
    resource: useSettled(resource, pauseMs),
    verb: verb === 'all' ? '' : verb || 'change',
    outcome,
  };
  const found = useAudit(wish, period || '24');
  const pages = found.data?.pages ?? [];
  const state = pages[0]?.state;
  // What began on one page and ended on the one before is told by its end.
  const records = [
    ...new Map([...pages.flatMap(({ data }) => data)].reverse().map(one => [one.auditID, one])).values(),
  ];
  records.reverse();
  const searchedTo = pages.at(-1)?.searchedTo;
  return (
    <>
      <Title title={t('audit.title')} beside={<span className="facts">{t('audit.hint')}</span>}>
        <button type="button" onClick={() => void found.refetch()}>
          <Icon name="restart" />
          {t('frame.refresh')}
        </button>
      </Title>
      {(state === 'off' || state === 'elsewhere') && (
        <Empty icon="logs" title={t(`audit.${state}`)} hint={t(`audit.${state}Hint`)} />
      )}
      {state !== 'off' && state !== 'elsewhere' && (
        <search className="audit-tools">
          <input
            type="search"
            value={user}
            placeholder={t('audit.user')}
            aria-label={t('audit.user')}
            onChange={event => setUser(event.target.value)}
          />
          <input
            type="search"
            value={resource}
            placeholder={t('audit.resource')}
            aria-label={t('audit.resource')}
            onChange={event => setResource(event.target.value)}
          />
          <Choice name="verb" value={verb || 'change'} all={verbs} onChange={setVerb} />
          <Choice
            name="outcome"
            value={outcome || 'all'}
            all={outcomes}
            onChange={one => setOutcome(one === 'all' ? '' : one)}
          />
          <Choice name="period" value={period || '24'} all={periods} onChange={setPeriod} />
        </search>
      )}
      {found.isPending && <Skeleton />}
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {state === 'kept' && records.length === 0 && (
        <Empty
          icon="search"
          title={t('audit.none')}
          hint={
            searchedTo && found.hasNextPage
              ? t('audit.searchedTo', { time: formatTime(searchedTo, i18n.language) })
              : t('audit.noneHint')
          }
        />
      )}
      {records.length > 0 && (
        <div className="table-frame">
          <table className="table audit">
            <thead>
              <tr>
                {(['when', 'who', 'what', 'where', 'outcome', 'from'] as const).map(name => (
                  <th key={name} scope="col">
                    {t(`audit.${name}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {records.map(record => (
                <Row key={record.auditID} record={record} onShow={() => setShown(record.at)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {found.hasNextPage && (
        <p className="audit-more">
          <button type="button" disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            {t(found.isFetchingNextPage ? 'audit.searching' : 'audit.older')}
          </button>
        </p>
      )}
      {shown && <Whole at={shown} onClose={() => setShown(undefined)} />}
    </>
  );
}

interface ChoiceProps {
  readonly name: 'verb' | 'outcome' | 'period';
  readonly value: string;
  readonly all: readonly string[];
  readonly onChange: (value: string) => void;
}

function Choice({ name, value, all, onChange }: ChoiceProps) {
  const { t } = useTranslation();
  return (
    <select value={value} aria-label={t(`audit.${name}`)} onChange={event => onChange(event.target.value)}>
      {all.map(one => (
        <option key={one} value={one}>
          {t(`audit.${name}.${one}`)}
        </option>
      ))}
    </select>
  );
}

function Row({ record, onShow }: { readonly record: AuditRecord; readonly onShow: () => void }) {
  const { t, i18n } = useTranslation();
  const { verb, resource, name, namespace, cluster, outcome, responseCode, user, userLoginName, stage } = record;
  const isNobody = user?.name === 'system:unauthenticated';
  return (
    <tr>
      <td>
        <button type="button" className="plain" onClick={onShow}>
          {formatTime(record.requestTimestamp, i18n.language)}
        </button>
      </td>
      <td>
        <span className="strong">{userLoginName ?? (isNobody ? '' : user?.name)}</span>{' '}
        {isNobody && <span className="dim">{t('audit.nobody')}</span>}
      </td>
      <td className="wrap">
        <span className="strong">{t(`audit.verb.${verb}`, { defaultValue: verb })}</span> {resource}{' '}
        <span className="mono">{name}</span>
      </td>
      <td className="dim">{[cluster, namespace].filter(Boolean).join(' / ')}</td>
      <td>
        <span className={`state ${tones[outcome]}`}>
          <Icon name={icons[outcome]} />
          <span className="word">
            {stage === 'ResponseStarted' ? t('audit.running') : t(`audit.outcome.${outcome}`)}
          </span>
          <span className="dim">{responseCode}</span>
        </span>
      </td>
      <td className="dim">{record.remoteAddr}</td>
    </tr>
  );
}

function Whole({ at, onClose }: { readonly at: string; readonly onClose: () => void }) {
  const { t } = useTranslation();
  const found = useQuery({
    queryKey: ['audit-record', at],
    queryFn: ({ signal }) => ask<object>(`/v1-audit?at=${encodeURIComponent(at)}`, { signal }),
  });
  return (
    <Dialog wide title={t('audit.details')} onClose={onClose}>
      {found.isPending && <Skeleton lines={4} />}
      {found.isError && <Failure error={found.error} />}
      {found.data && <pre className="audit-whole">{JSON.stringify(found.data, null, 2)}</pre>}
    </Dialog>
  );
}
