/** Something to be taken elsewhere: a block of text with a button that copies it, and says that it did. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from './Icon.tsx';

const saidMs = 2000;

export function Copy({ text, wrap = false }: { readonly text: string; readonly wrap?: boolean }) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), saidMs);
  };
  return (
    <div className="copy">
      <pre className={wrap ? 'wrap' : undefined}>{text}</pre>
      <button type="button" onClick={() => void copy()}>
        <Icon name={copied ? 'check' : 'copy'} />
        <span aria-live="polite">{copied ? t('frame.copied') : t('frame.copy')}</span>
      </button>
    </div>
  );
}
