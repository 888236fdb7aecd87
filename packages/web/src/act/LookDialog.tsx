/** The look of a cluster: its colour, the banner over its pages and its group, for all who reach it. */
import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { hues, longestBanner, longestGroup, lookOf, withLook } from '../app/cluster-look.ts';
import type { ClusterRow } from '../app/clusters.ts';
import { ask } from '../net/request.ts';
import { useChange } from '../net/v3.ts';
import { FormDialog } from '../parts/FormDialog.tsx';
import { Icon } from '../parts/Icon.tsx';

const pathOf = (id: string): string => `/v3/clusters/${encodeURIComponent(id)}`;

/** Only for who may change the cluster: `/v1` leaves the link out for others, also where the changing is done in `/v3`. */
export function LookButton({ row, onOpen }: { readonly row: ClusterRow; readonly onOpen: () => void }) {
  const { t } = useTranslation();
  if (row.object.links['update'] === undefined) return null;
  return (
    <button type="button" onClick={onOpen}>
      <Icon name="edit" />
      {t('look.title')}
    </button>
  );
}

export function LookDialog({ row, onClose }: { readonly row: ClusterRow; readonly onClose: () => void }) {
  const { t } = useTranslation();
  const change = useChange();
  const client = useQueryClient();
  const { hue = '', banner, group } = lookOf(row.object);
  const save = async (form: FormData): Promise<void> => {
    const seen = await ask<{ annotations?: Record<string, string> }>(pathOf(row.id));
    const text = (name: string) => String(form.get(name) ?? '');
    const look = { hue: text('hue'), banner: text('banner'), group: text('group') };
    const body = { annotations: withLook(seen.annotations ?? {}, look) };
    await change(pathOf(row.id), { method: 'PUT', body });
    await client.invalidateQueries({ queryKey: ['clusters'] });
  };
  return (
    <FormDialog title={t('look.title')} submit={t('frame.save')} onClose={onClose} onSubmit={save}>
      <p className="lead">{t('look.hint')}</p>
      <fieldset className="field hues">
        <legend>{t('look.colour')}</legend>
        {['', ...hues].map(one => (
          <label key={one} className="pick">
            <input type="radio" name="hue" value={one} defaultChecked={one === hue} />
            {one && <i className={`dot hue-${one}`} />}
            <span>{t(`look.hue.${one || 'none'}`)}</span>
          </label>
        ))}
      </fieldset>
      <label className="field">
        <span>{t('look.banner')}</span>
        <input name="banner" defaultValue={banner} maxLength={longestBanner} />
        <small>{t('look.bannerHint')}</small>
      </label>
      <label className="field">
        <span>{t('look.group')}</span>
        <input name="group" defaultValue={group} maxLength={longestGroup} />
        <small>{t('look.groupHint')}</small>
      </label>
    </FormDialog>
  );
}
