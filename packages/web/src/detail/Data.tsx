/** What a ConfigMap or Secret holds. A secret's values stay covered until each is asked for. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { at, type KubeObject } from '../net/objects.ts';
import { Copy } from '../parts/Copy.tsx';

export function Data({ object }: { readonly object: KubeObject }) {
  const { t } = useTranslation();
  if (object.kind !== 'ConfigMap' && object.kind !== 'Secret') return null;
  const data = Object.entries((at(object, 'data') ?? {}) as Record<string, string>);
  return (
    <section>
      <h2>{t('detail.data')}</h2>
      {data.length === 0 && <p className="dim">{t('detail.noData')}</p>}
      {data.map(([name, value]) => (
        <Value key={name} name={name} value={value} isSecret={object.kind === 'Secret'} />
      ))}
    </section>
  );
}

function Value({
  name,
  value,
  isSecret,
}: {
  readonly name: string;
  readonly value: string;
  readonly isSecret: boolean;
}) {
  const { t } = useTranslation();
  const [shown, setShown] = useState(!isSecret);
  return (
    <div className="datum">
      <h3 className="mono">{name}</h3>
      {shown ? (
        <Copy text={isSecret ? decode(value) : value} wrap />
      ) : (
        <button type="button" onClick={() => setShown(true)}>
          {t('detail.reveal')}
        </button>
      )}
    </div>
  );
}

/** What is no text stays as it is sent. */
function decode(base64: string): string {
  try {
    const bytes = Uint8Array.from(atob(base64), char => char.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return base64;
  }
}
