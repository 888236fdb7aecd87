/** One field of a sign-in provider's configuration: its input, its name in words, and beside that its name in the API. */
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import type { V3Resource } from '../net/objects.ts';
import { type ProviderField, shownValue } from './provider-fields.ts';

export function ProviderInput({ field, config }: { readonly field: ProviderField; readonly config: V3Resource }) {
  const { t } = useTranslation();
  const id = useId();
  const { name, input, type } = field;
  const words = t(`providers.field.${name}`, { defaultValue: name });
  const value = shownValue(config, field);
  if (input === 'check')
    return (
      <label className="check field">
        <input type="checkbox" name={name} defaultChecked={value === 'true'} />
        <span>{words}</span>
      </label>
    );
  const same = { id, name, defaultValue: value, spellCheck: false, autoComplete: 'off' };
  const isSecret = type === 'password';
  return (
    <div className={`field${input === 'pem' ? ' whole' : ''}`}>
      <label htmlFor={id}>{words}</label>
      {input === 'pem' ? (
        <textarea {...same} rows={4} className="mono" />
      ) : input === 'lines' ? (
        <textarea {...same} rows={2} />
      ) : (
        <input {...same} type={isSecret ? 'password' : input === 'number' ? 'number' : 'text'} />
      )}
      {isSecret && config.created && <small>{t('providers.asIs')}</small>}
      {input === 'lines' && <small>{t('providers.oneALine')}</small>}
    </div>
  );
}
