/** One's own second factor: an authenticator app's codes and security keys. Each change asks for the password, and for what is there already. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { act, actWithFactor, hasKeys, makeKey, readSecondFactor, type SecurityKey } from '../net/second-factor.ts';
import { useMe } from '../net/v3.ts';
import { Copy } from '../parts/Copy.tsx';
import { Dialog } from '../parts/Dialog.tsx';
import { FormDialog } from '../parts/FormDialog.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Empty, Failure, Skeleton } from '../parts/Notices.tsx';
import { useNow } from '../parts/now.ts';
import { formatAge } from '../parts/quantity.ts';
import { Title } from '../parts/Title.tsx';

type Doing =
  | { readonly what: 'addKey' | 'addCodes' | 'removeCodes' }
  | { readonly what: 'renameKey' | 'removeKey'; readonly key: SecurityKey };

export function Account() {
  const { t } = useTranslation();
  const me = useMe();
  const now = useNow();
  const client = useQueryClient();
  const [doing, setDoing] = useState<Doing>();
  const [recovery, setRecovery] = useState<readonly string[]>();
  const state = useQuery({
    queryKey: ['second-factor'],
    queryFn: ({ signal }) => readSecondFactor(signal),
  });
  if (state.isPending || me.isPending) return <Skeleton />;
  if (state.isError) return <Failure error={state.error} retry={() => void state.refetch()} />;
  if (!me.data?.username) return <Empty isPage title={t('account.title')} hint={t('account.elsewhere')} />;
  const { codes, securityKeys, recoveryCodesLeft, enabled } = state.data;
  const close = () => {
    setDoing(undefined);
    void client.invalidateQueries({ queryKey: ['second-factor'] });
  };
  const made = (given: readonly string[] | undefined) => given && setRecovery(given);
  return (
    <>
      <Title
        title={t('account.title')}
        beside={
          <span className="facts">{enabled ? t('account.on', { count: recoveryCodesLeft }) : t('account.off')}</span>
        }
      >
        <button type="button" onClick={() => setDoing({ what: codes ? 'removeCodes' : 'addCodes' })}>
          {t(codes ? 'account.removeCodes' : 'account.addCodes')}
        </button>
        {hasKeys() && (
          <button type="button" className="primary" onClick={() => setDoing({ what: 'addKey' })}>
            <Icon name="plus" />
            {t('account.addKey')}
          </button>
        )}
      </Title>
      {securityKeys.length === 0 ? (
        <Empty icon="key" title={t('account.noKeys')} hint={t('account.noKeysHint')} />
      ) : (
        <div className="table-frame">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{t('account.key')}</th>
                <th scope="col">{t('columns.Age')}</th>
                <th scope="col">{t('account.lastUsed')}</th>
                <th scope="col">
                  <span className="unseen">{t('act.more')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {securityKeys.map(key => (
                <tr key={key.id}>
                  <td>
                    <span className="strong">{key.name}</span>
                  </td>
                  <td className="dim">{formatAge(key.created, now)}</td>
                  <td className="dim">{key.lastUsed ? formatAge(key.lastUsed, now) : t('account.never')}</td>
                  <td className="number">
                    <button type="button" className="plain" onClick={() => setDoing({ what: 'renameKey', key })}>
                      {t('account.rename')}
                    </button>
                    <button
                      type="button"
                      className="plain"
                      aria-label={`${t('act.remove')}: ${key.name}`}
                      onClick={() => setDoing({ what: 'removeKey', key })}
                    >
                      <Icon name="trash" />
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {doing?.what === 'addKey' && <AddKey onClose={close} onMade={made} />}
      {doing?.what === 'addCodes' && <AddCodes onClose={close} onMade={made} />}
      {doing?.what === 'removeCodes' && <Prove action="disable" title={t('account.removeCodes')} onClose={close} />}
      {doing?.what === 'removeKey' && (
        <Prove
          action="removeKey"
          id={doing.key.id}
          title={t('account.removeKey', { name: doing.key.name })}
          onClose={close}
        />
      )}
      {doing?.what === 'renameKey' && <RenameKey keyToRename={doing.key} onClose={close} />}
      {recovery && <Recovery codes={recovery} onClose={() => setRecovery(undefined)} />}
    </>
  );
}

interface Closing {
  readonly onClose: () => void;
}

interface Adding extends Closing {
  readonly onMade: (recoveryCodes: readonly string[] | undefined) => void;
}

function Password() {
  const { t } = useTranslation();
  return (
    <label className="field">
      <span>{t('signIn.password')}</span>
      <input name="password" type="password" autoComplete="current-password" required />
    </label>
  );
}

function KeyName({ value }: { readonly value?: string }) {
  const { t } = useTranslation();
  return (
    <label className="field">
      <span>{t('account.keyName')}</span>
      <input name="name" required maxLength={64} defaultValue={value} autoComplete="off" />
    </label>
  );
}

function AddKey({ onClose, onMade }: Adding) {
  const { t } = useTranslation();
  const add = async (form: FormData): Promise<void> => {
    const password = String(form.get('password'));
    const options = await act<PublicKeyCredentialCreationOptionsJSON>('beginKey', { password });
    const credential = await makeKey(options);
    const { recoveryCodes } = await act<{ recoveryCodes?: readonly string[] }>('addKey', {
      name: String(form.get('name')),
      credential,
    });
    onMade(recoveryCodes);
  };
  return (
    <FormDialog title={t('account.addKey')} submit={t('account.touch')} onClose={onClose} onSubmit={add}>
      <KeyName />
      <Password />
      <p className="hint">{t('account.touchHint')}</p>
    </FormDialog>
  );
}

function RenameKey({ keyToRename, onClose }: Closing & { readonly keyToRename: SecurityKey }) {
  const { t } = useTranslation();
  const rename = (form: FormData) => act('renameKey', { id: keyToRename.id, name: String(form.get('name')) });
  return (
    <FormDialog
      title={t('account.rename')}
      submit={t('account.rename')}
      onClose={onClose}
      onSubmit={async form => void (await rename(form))}
    >
      <KeyName value={keyToRename.name} />
    </FormDialog>
  );
}

/** First the key for the phone, then a code that shows that it is there. */
function AddCodes({ onClose, onMade }: Adding) {
  const { t } = useTranslation();
  const [begun, setBegun] = useState<{ readonly secret: string; readonly uri: string }>();
  const add = async (form: FormData): Promise<boolean> => {
    if (!begun) {
      setBegun(await act('begin', { password: String(form.get('password')) }));
      return true;
    }
    const { recoveryCodes } = await act<{ recoveryCodes: readonly string[] }>('confirm', {
      code: String(form.get('code')),
    });
    onMade(recoveryCodes);
    return false;
  };
  return (
    <FormDialog title={t('account.addCodes')} submit={t('account.next')} onClose={onClose} onSubmit={add}>
      {begun ? (
        <>
          <p>{t('account.secretHint')}</p>
          <p>
            <code>{begun.secret}</code>
          </p>
          <Copy text={begun.uri} wrap />
          <label className="field">
            <span>{t('signIn.code')}</span>
            <input name="code" autoComplete="one-time-code" inputMode="numeric" required />
          </label>
        </>
      ) : (
        <Password />
      )}
    </FormDialog>
  );
}

/** Taking something away: with the password, and a code or a key. */
function Prove({ action, id, title, onClose }: Closing & { action: string; id?: string; title: string }) {
  const { t } = useTranslation();
  const run = async (form: FormData): Promise<void> => {
    const otp = String(form.get('otp') ?? '').trim();
    await actWithFactor(action, {
      password: String(form.get('password')),
      ...(id ? { id } : {}),
      ...(otp ? { otp } : {}),
    });
  };
  return (
    <FormDialog title={title} submit={t('act.remove')} onClose={onClose} onSubmit={run}>
      <Password />
      <label className="field">
        <span>{t('signIn.code')}</span>
        <input name="otp" autoComplete="one-time-code" />
        <span className="hint">{t('account.codeOrKey')}</span>
      </label>
    </FormDialog>
  );
}

function Recovery({ codes, onClose }: Closing & { readonly codes: readonly string[] }) {
  const { t } = useTranslation();
  const text = codes.join('\n');
  return (
    <Dialog title={t('account.recovery')} onClose={onClose}>
      <p>{t('account.recoveryHint')}</p>
      <Copy text={text} />
      <footer>
        <button type="button" className="primary" onClick={onClose}>
          {t('account.kept')}
        </button>
      </footer>
    </Dialog>
  );
}
