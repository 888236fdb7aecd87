/** What the server says: in the reader's language, with the server's own words to be had, for they are what people search for. */
import { useTranslation } from 'react-i18next';
import { said } from '../texts/said/index.ts';

export function Said({ words }: { readonly words: string }) {
  const translated = said(words);
  return translated === words ? words : <span title={words}>{translated}</span>;
}

/** For what is told by a tooltip alone: translation and original. */
export function bothOf(words: string): string {
  const translated = said(words);
  return translated === words ? words : `${translated}\n${words}`;
}

/** The original below a translation, folded: on a phone there are no tooltips. Nothing where there is no translation. */
export function Original({ words }: { readonly words: string }) {
  const { t } = useTranslation();
  if (said(words) === words) return null;
  return (
    <details className="original">
      <summary>{t('errors.original')}</summary>
      <span lang="en">{words}</span>
    </details>
  );
}
