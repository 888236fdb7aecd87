/**
 * The keys that work everywhere: Ctrl/⌘-K for the palette (never loaded late: what one types must not go astray); alone, `/` to filter, `?` for the sheet, `g` and a letter to go somewhere. None
 * works while one types, and the single ones can be switched off.
 */
import { type ReactNode, useEffect, useRef } from 'react';
import { useLocation } from 'wouter';
import { Help } from './Help.tsx';
import { jumps } from './jumps.ts';
import { openOverlay, useOverlay } from './overlay.ts';
import { Palette } from './Palette.tsx';
import { addressOf, usePlace } from './place.ts';
import { usePref } from './prefs.ts';

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
const chordMs = 1200;

export function Keys(): ReactNode {
  const overlay = useOverlay();
  const keys = usePref('keys');
  const [, navigate] = useLocation();
  const { clusterId } = usePlace();
  const chordUntil = useRef(0);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.isComposing) return;
      if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        openOverlay(overlay === 'palette' ? undefined : 'palette');
        return;
      }
      if (keys === 'off' || overlay || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('dialog[open]')) return;
      if (performance.now() < chordUntil.current) {
        chordUntil.current = 0;
        const page = jumps.find(jump => jump.key === event.key)?.plural;
        if (page === '') navigate('/');
        else if (page !== undefined && clusterId) navigate(addressOf(clusterId, page));
        else return;
      } else if (event.key === 'g') chordUntil.current = performance.now() + chordMs;
      else if (event.key === '?') openOverlay('help');
      else if (event.key === '/') document.querySelector<HTMLElement>('[data-filter]')?.focus();
      else return;
      event.preventDefault();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [overlay, keys, navigate, clusterId]);
  return (
    <>
      {overlay === 'palette' && <Palette />}
      {overlay === 'help' && <Help />}
    </>
  );
}
