/** Dialog: the browser's own modal dialog, which keeps the focus inside and gives it back; open as long as it is rendered. */
import { type ReactNode, useEffect, useId, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from './Icon.tsx';

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly wide?: boolean;
  /** Without it the dialog has no head of its own. */
  readonly bare?: boolean;
  readonly children: ReactNode;
}

export function Dialog({ title, onClose, wide = false, bare = false, children }: DialogProps) {
  const { t } = useTranslation();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const shown = dialog.current!;
    const before = document.activeElement as HTMLElement | null;
    if (!shown.open) shown.showModal();
    return () => {
      shown.close();
      before?.focus?.();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      className={`dialog${wide ? ' wide' : ''}${bare ? ' bare' : ''}`}
      aria-labelledby={bare ? undefined : id}
      aria-label={bare ? title : undefined}
      onCancel={event => {
        event.preventDefault();
        onClose();
      }}
      onPointerDown={event => {
        if (event.target === dialog.current) onClose();
      }}
    >
      {!bare && (
        <header>
          <h2 id={id}>{title}</h2>
          <button type="button" className="plain" aria-label={t('frame.close')} onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
      )}
      <div className="dialog-body">{children}</div>
    </dialog>
  );
}
