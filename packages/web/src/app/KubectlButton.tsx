/** In the bar: opens a kubectl shell in the cluster one is in, or says why there is none. */
import { useTranslation } from 'react-i18next';
import { Icon } from '../parts/Icon.tsx';
import { keyOf, keyText } from './key-map.ts';
import { useKubectlShell } from './kubectl-shell.ts';
import { isMac } from './overlay.ts';

export function KubectlButton() {
  const { t } = useTranslation();
  const shell = useKubectlShell();
  if (!shell) return null;
  const { blocked, open } = shell;
  return (
    <button
      type="button"
      className="plain"
      aria-label={blocked ? `${t('dock.kubectl')}: ${blocked}` : t('dock.kubectl')}
      aria-disabled={blocked !== undefined}
      title={blocked ?? `${t('dock.kubectl')} (${keyText(keyOf('kubectl'), isMac)})`}
      onClick={open}
    >
      <Icon name="terminal" />
    </button>
  );
}
