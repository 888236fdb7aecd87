/** Who one is, how one likes to see it all, and the way out. */
import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import { closeDock } from '../dock/tabs.ts';
import { send } from '../net/request.ts';
import { useMe } from '../net/v3.ts';
import { Icon } from '../parts/Icon.tsx';
import { Menu } from '../parts/Menu.tsx';
import { chosenLanguage, setLanguage } from '../texts/index.ts';
import { openOverlay } from './overlay.ts';
import { type Prefs, setPref, usePref } from './prefs.ts';
import { forgetRecents } from './recents.ts';

export function AccountMenu() {
  const { t } = useTranslation();
  const me = useMe();
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const name = me.data?.name || me.data?.username || '';
  const signOut = async (): Promise<void> => {
    await send('/v1/logout', { method: 'POST' }).catch(() => undefined);
    client.clear();
    forgetRecents();
    closeDock();
    navigate('/sign-in');
  };
  return (
    <Menu
      label={`${t('frame.account')}: ${name}`}
      className="plain account"
      align="end"
      button={
        <>
          <Icon name="person" />
          <span className="name">{name}</span>
        </>
      }
    >
      {close => (
        <>
          <p className="who">
            <strong>{name}</strong>
            <span>{me.data?.username}</span>
          </p>
          <Appearance />
          {me.data?.username && (
            <Link className="button plain item" href="/account" onClick={close}>
              {t('account.title')}
            </Link>
          )}
          <button
            type="button"
            className="plain item"
            onClick={() => {
              close();
              openOverlay('history');
            }}
          >
            {t('act.recent')}
          </button>
          <button type="button" className="plain item" onClick={() => void signOut()}>
            {t('frame.signOut')}
          </button>
        </>
      )}
    </Menu>
  );
}

/** Theme, contrast, density and language. */
export function Appearance() {
  const { t } = useTranslation();
  const theme = usePref('theme');
  const language = usePref('language');
  const contrast = usePref('contrast');
  const density = usePref('density');
  const keys = usePref('keys');
  const speak = async (value: Prefs['language']): Promise<void> => {
    setPref('language', value);
    await setLanguage(chosenLanguage());
  };
  return (
    <div className="choices">
      <label>
        <span>{t('frame.theme')}</span>
        <select value={theme} onChange={event => setPref('theme', event.target.value as Prefs['theme'])}>
          <option value="system">{t('frame.theme.system')}</option>
          <option value="light">{t('frame.theme.light')}</option>
          <option value="dark">{t('frame.theme.dark')}</option>
        </select>
      </label>
      <label>
        <span>{t('frame.language')}</span>
        <select value={language} onChange={event => void speak(event.target.value as Prefs['language'])}>
          <option value="system">{t('frame.language.system')}</option>
          <option value="zh" lang="zh-CN">
            简体中文
          </option>
          <option value="en" lang="en">
            English
          </option>
        </select>
      </label>
      <label className="check">
        <input
          type="checkbox"
          checked={contrast === 'high'}
          onChange={event => setPref('contrast', event.target.checked ? 'high' : 'normal')}
        />
        <span>{t('frame.contrast')}</span>
      </label>
      <label className="check">
        <input
          type="checkbox"
          checked={density === 'dense'}
          onChange={event => setPref('density', event.target.checked ? 'dense' : 'normal')}
        />
        <span>{t('frame.density')}</span>
      </label>
      <label className="check">
        <input
          type="checkbox"
          checked={keys === 'on'}
          onChange={event => setPref('keys', event.target.checked ? 'on' : 'off')}
        />
        <span>{t('frame.singleKeys')}</span>
      </label>
    </div>
  );
}
