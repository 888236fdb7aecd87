/** The sheet of keys; each can be given another here. */
import { type KeyboardEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from '../parts/Dialog.tsx';
import { Icon } from '../parts/Icon.tsx';
import { jumps } from './jumps.ts';
import { heldBy, type KeyName, keyNames, keyOf, keyPressed, keyText, setKey } from './key-map.ts';
import { isMac, openOverlay } from './overlay.ts';

export function Help() {
  const { t } = useTranslation();
  const [changing, setChanging] = useState<KeyName>();
  const [fault, setFault] = useState('');
  const take = (event: KeyboardEvent, what: KeyName): void => {
    const key = keyPressed(event.nativeEvent);
    if (!key) return;
    event.preventDefault();
    event.stopPropagation();
    const holder = heldBy(key, what);
    setFault(holder ? t('palette.keyTaken', { key: keyText(key, isMac), name: t(`palette.key.${holder}`) }) : '');
    if (holder) return;
    setKey(what, key);
    setChanging(undefined);
  };
  return (
    <Dialog title={t('frame.help')} onClose={() => openOverlay(undefined)}>
      {fault && (
        <p className="form-error" role="alert">
          {fault}
        </p>
      )}
      <dl className="keys">
        {keyNames.map(what => (
          <div key={what}>
            <dt>
              {changing === what ? (
                <button
                  type="button"
                  className="primary"
                  // biome-ignore lint/a11y/noAutofocus: it waits for a key
                  autoFocus
                  onKeyDown={event => take(event, what)}
                  onBlur={() => setChanging(undefined)}
                >
                  {t('palette.pressKey')}
                </button>
              ) : (
                <Keys text={keyText(keyOf(what), isMac)} />
              )}
            </dt>
            <dd>
              {t(`palette.key.${what}`)}
              <button
                type="button"
                className="plain"
                aria-label={t('palette.changeKey', { name: t(`palette.key.${what}`) })}
                onClick={() => {
                  setFault('');
                  setChanging(what);
                }}
              >
                <Icon name="edit" />
              </button>
            </dd>
          </div>
        ))}
        {jumps.map(({ key, kind }) => (
          <div key={key}>
            <dt>
              <Keys text={`${keyText(keyOf('go'), isMac)} ${key}`} />
            </dt>
            <dd>{t('palette.goTo', { name: kind ? t(`kinds.${kind}`) : t('frame.clusters') })}</dd>
          </div>
        ))}
        <div>
          <dt>
            <Keys text={`Shift ${keyText(keyOf('down'), isMac)} ${keyText(keyOf('up'), isMac)}`} />
          </dt>
          <dd>{t('palette.keyExtend')}</dd>
        </div>
      </dl>
      <p className="dim">{t('palette.grammar')}</p>
      <footer>
        <button
          type="button"
          onClick={() => {
            for (const what of keyNames) setKey(what);
            setFault('');
            setChanging(undefined);
          }}
        >
          {t('palette.resetKeys')}
        </button>
      </footer>
    </Dialog>
  );
}

function Keys({ text }: { readonly text: string }) {
  return text.split(' ').map(key => <kbd key={key}>{key}</kbd>);
}
