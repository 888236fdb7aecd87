/** What stands where there is nothing to show: empty lists that say what comes next, errors that say what to do, and skeletons. */
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { RequestError } from '../net/request.ts';
import { saidOf } from '../texts/said/index.ts';
import { errorKey } from './error-key.ts';
import { Icon, type IconName } from './Icon.tsx';
import { Original, Said } from './Said.tsx';

export interface EmptyProps {
  readonly icon?: IconName;
  readonly title: string;
  readonly hint?: string;
  /** It is all that the page has. */
  readonly isPage?: boolean;
  readonly children?: ReactNode;
}

export function Empty({ icon = 'idle', title, hint, isPage = false, children }: EmptyProps) {
  return (
    <div className="notice">
      <Icon name={icon} />
      {isPage ? <h1>{title}</h1> : <h2>{title}</h2>}
      {hint && <p>{hint}</p>}
      {children && <div className="row">{children}</div>}
    </div>
  );
}

export function Failure({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) {
  const { t } = useTranslation();
  const key = errorKey(error);
  return (
    <div className="notice bad" role="alert">
      <Icon name="bad" />
      <h2>{t(`errors.${key}`)}</h2>
      <p>{t(`errors.${key}Hint`)}</p>
      {error instanceof Error && error.message && (
        <>
          <pre>
            <Said words={error.message} />
          </pre>
          <Original words={error.message} />
        </>
      )}
      {retry && (
        <div className="row">
          <button type="button" onClick={retry}>
            {t('frame.retry')}
          </button>
        </div>
      )}
    </div>
  );
}

/** One line, inside a form. */
export function FormError({ error }: { readonly error: unknown }) {
  const { t } = useTranslation();
  if (!error) return null;
  const { message } = error as Error;
  const words = saidOf({ message, field: error instanceof RequestError ? error.field : undefined });
  return (
    <p className="form-error" role="alert">
      <Icon name="bad" />
      <span title={message || undefined}>
        {t(`errors.${errorKey(error)}`)}
        {words ? ` · ${words}` : ''}
      </span>
    </p>
  );
}

export function Skeleton({ lines = 6 }: { readonly lines?: number }) {
  const { t } = useTranslation();
  return (
    <div className="skeleton" role="status" aria-label={t('frame.loading')}>
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike
        <span key={line} />
      ))}
    </div>
  );
}
