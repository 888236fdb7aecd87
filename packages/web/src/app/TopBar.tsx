/** The bar at the top: which cluster one is in, the way to everything else, and who one is. */
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { Icon, Mark } from '../parts/Icon.tsx';
import { AccountMenu } from './AccountMenu.tsx';
import { ClusterSwitcher } from './ClusterSwitcher.tsx';
import { KubectlButton } from './KubectlButton.tsx';
import { keyOf, keyText } from './key-map.ts';
import { isMac, openOverlay } from './overlay.ts';

export function TopBar({ onMenu, navOpen }: { readonly onMenu: () => void; readonly navOpen: boolean }) {
  const { t } = useTranslation();
  const paletteKey = keyText(keyOf('palette'), isMac);
  return (
    <header className="top">
      <button
        type="button"
        className="plain menu-button"
        aria-label={t('frame.menu')}
        aria-expanded={navOpen}
        onClick={onMenu}
      >
        <Icon name="menu" />
      </button>
      <Link href="/" className="brand" aria-label="Drover">
        <Mark />
        <span>Drover</span>
      </Link>
      <span className="slash" aria-hidden="true">
        /
      </span>
      <ClusterSwitcher />
      <span className="spread" />
      <button
        type="button"
        className="palette-button"
        aria-label={`${t('frame.search')} ${paletteKey}`}
        onClick={() => openOverlay('palette')}
      >
        <Icon name="search" />
        <span>{t('frame.search')}</span>
        <span aria-hidden="true">
          <kbd>{paletteKey}</kbd>
        </span>
      </button>
      <KubectlButton />
      <button type="button" className="plain" aria-label={t('frame.help')} onClick={() => openOverlay('help')}>
        <Icon name="help" />
      </button>
      <AccountMenu />
    </header>
  );
}
