/**
 * The keys that work everywhere: Ctrl/⌘-K for the palette (never loaded late: what one types must not go astray), with ` for a kubectl
 * shell; alone, `/` to filter, `?` for the sheet, `g` and a letter to go somewhere. None
 * works while one types, and the single ones can be switched off.
 */
import { type ReactNode, useEffect, useRef } from 'react';
import { useLocation } from 'wouter';
import { later } from '../parts/later.tsx';
import { jumps } from './jumps.ts';
import { isKey } from './key-map.ts';
import { useKubectlShell } from './kubectl-shell.ts';
import { openOverlay, useOverlay } from './overlay.ts';
import { Palette } from './Palette.tsx';
import { addressOf, usePlace } from './place.ts';
import { usePref } from './prefs.ts';

const Help = later(async () => (await import('./Help.tsx')).Help);
const RecentChanges = later(async () => (await import('../act/RecentChanges.tsx')).RecentChanges);

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
const chordMs = 1200;

export function Keys(): ReactNode {
  const overlay = useOverlay();
  const keys = usePref('keys');
  const [, navigate] = useLocation();
  const { clusterId } = usePlace();
  const kubectl = useKubectlShell();
  const chordUntil = useRef(0);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.isComposing) return;
      if ((event.ctrlKey || event.metaKey) && isKey(event, 'palette')) {
        event.preventDefault();
        openOverlay(overlay === 'palette' ? undefined : 'palette');
        return;
      }
      if (kubectl && (event.ctrlKey || event.metaKey) && isKey(event, 'kubectl')) {
        event.preventDefault();
        kubectl.open();
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
      } else if (isKey(event, 'go')) chordUntil.current = performance.now() + chordMs;
      else if (isKey(event, 'help')) openOverlay('help');
      else if (isKey(event, 'filter')) document.querySelector<HTMLElement>('[data-filter]')?.focus();
      else return;
      event.preventDefault();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [overlay, keys, navigate, clusterId, kubectl]);
  return (
    <>
      {overlay === 'palette' && <Palette />}
      {overlay === 'help' && <Help />}
      {overlay === 'history' && <RecentChanges />}
    </>
  );
}
