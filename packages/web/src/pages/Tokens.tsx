/** One's own keys for programs: made with an end and, if wanted, for one cluster only; shown once. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useClusters } from '../app/clusters.ts';
import { textAt, type V3Resource } from '../net/objects.ts';
import { useChange } from '../net/v3.ts';
import { Copy } from '../parts/Copy.tsx';
import { Dialog } from '../parts/Dialog.tsx';
import { FormDialog } from '../parts/FormDialog.tsx';
import { Icon } from '../parts/Icon.tsx';
import { useNow } from '../parts/now.ts';
import { formatAge, formatTime } from '../parts/quantity.ts';
import { Title } from '../parts/Title.tsx';
import { V3Table } from '../parts/V3Table.tsx';

const dayMs = 86_400_000;
const lives = [1, 7, 30, 90];

export function Tokens() {
  const { t, i18n } = useTranslation();
  const now = useNow();
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<string>();
  const clusters = useClusters().data?.rows ?? [];
  return (
    <>
      <Title title={t('frame.tokens')} beside={<span className="facts">{t('manage.tokensHint')}</span>}>
        <button type="button" className="primary" onClick={() => setAdding(true)}>
          <Icon name="plus" />
          {t('manage.addToken')}
        </button>
      </Title>
      <V3Table
        path="/v3/tokens"
        nameOf={row => row.id}
        empty={{ title: t('manage.noTokens') }}
        columns={[
          { title: t('list.name'), cell: row => <span className="strong">{row.id}</span> },
          {
            title: t('manage.purpose'),
            cell: row => (row['current'] === true ? t('manage.thisSession') : textAt(row, 'description')),
          },
          {
            title: t('manage.scope'),
            cell: row =>
              clusters.find(({ id }) => id === row['clusterId'])?.name ??
              (textAt(row, 'clusterId') || t('frame.allClusters')),
          },
          {
            title: t('manage.lastUsed'),
            cell: row => <span className="dim">{formatAge(textAt(row, 'lastUsedAt'), now)}</span>,
          },
          {
            title: t('manage.expires'),
            cell: row => formatTime(textAt(row, 'expiresAt'), i18n.language) || t('manage.never'),
          },
        ]}
      />
      {adding && (
        <AddToken
          onClose={() => setAdding(false)}
          onMade={token => {
            setAdding(false);
            setMade(token);
          }}
        />
      )}
      {made && (
        <Dialog title={t('manage.tokenMade')} onClose={() => setMade(undefined)}>
          <p className="lead">{t('manage.tokenOnce')}</p>
          <Copy text={made} wrap />
        </Dialog>
      )}
    </>
  );
}

function AddToken({ onClose, onMade }: { readonly onClose: () => void; readonly onMade: (token: string) => void }) {
  const { t } = useTranslation();
  const change = useChange();
  const clusters = useClusters().data?.rows ?? [];
  const add = async (form: FormData): Promise<boolean> => {
    const clusterId = String(form.get('cluster'));
    const body = {
      description: String(form.get('description')),
      ttl: Number(form.get('days')) * dayMs,
      ...(clusterId ? { clusterId } : {}),
    };
    const answer = await change<V3Resource>('/v3/tokens', { method: 'POST', body });
    onMade(textAt(answer, 'token'));
    return true;
  };
  return (
    <FormDialog title={t('manage.addToken')} submit={t('manage.add')} onClose={onClose} onSubmit={add}>
      <label className="field">
        <span>{t('manage.purpose')}</span>
        <input name="description" required maxLength={200} />
      </label>
      <label className="field">
        <span>{t('manage.scope')}</span>
        <select name="cluster" defaultValue="">
          <option value="">{t('frame.allClusters')}</option>
          {clusters.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        <span>{t('manage.endsIn')}</span>
        <select name="days" defaultValue="30">
          {lives.map(count => (
            <option key={count} value={count}>
              {t('manage.days', { count })}
            </option>
          ))}
        </select>
      </label>
    </FormDialog>
  );
}
