/**
 * Menu: a button that opens a panel beside it, by the browser's own popover: it closes on Escape and on a click elsewhere, and gives the
 * focus back. Arrow keys walk through its items.
 */
import { type KeyboardEvent, type ReactNode, useId, useRef } from 'react';

export interface MenuProps {
  readonly label: string;
  readonly button: ReactNode;
  readonly className?: string;
  readonly align?: 'start' | 'end';
  readonly children: ReactNode | ((close: () => void) => ReactNode);
  readonly onOpen?: () => void;
}

export function Menu({ label, button, className = '', align = 'start', children, onOpen }: MenuProps) {
  const id = useId();
  const trigger = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const close = (): void => panel.current?.hidePopover();
  const place = (open: boolean): void => {
    trigger.current?.setAttribute('aria-expanded', String(open));
    if (!open) return;
    onOpen?.();
    const box = trigger.current!.getBoundingClientRect();
    const { style, offsetWidth } = panel.current!;
    const left = align === 'end' ? box.right - offsetWidth : box.left;
    style.left = `${Math.max(8, Math.min(left, innerWidth - offsetWidth - 8))}px`;
    style.top = `${box.bottom + 4}px`;
    style.maxHeight = `${innerHeight - box.bottom - 16}px`;
    panel.current!.querySelector<HTMLElement>('input, button, a, [tabindex]')?.focus();
  };
  return (
    <>
      <button
        ref={trigger}
        type="button"
        className={className}
        popoverTarget={id}
        aria-label={label}
        title={label}
        aria-expanded="false"
      >
        {button}
      </button>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset has looks of its own */}
      <div
        ref={panel}
        id={id}
        popover="auto"
        className="menu"
        role="group"
        aria-label={label}
        onToggle={event => place(event.newState === 'open')}
        onKeyDown={walk}
      >
        {typeof children === 'function' ? children(close) : children}
      </div>
    </>
  );
}

/** Up and down move the focus among what can have it. */
export function walk(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>('input, button:not([disabled]), a[href], select')];
  const here = all.indexOf(document.activeElement as HTMLElement);
  const next = all.at((here + (event.key === 'ArrowDown' ? 1 : -1) + all.length) % all.length);
  event.preventDefault();
  next?.focus();
}
