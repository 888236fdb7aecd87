/** The actions of one object: those that fit it; what somebody may not do stays visible and says what it would take. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { addressOf } from '../app/place.ts';
import type { Kind } from '../net/kinds.ts';
import { at, type KubeObject } from '../net/objects.ts';
import { Icon } from '../parts/Icon.tsx';
import { Menu } from '../parts/Menu.tsx';
import { showToast } from '../parts/toasts.ts';
import { type Action, actions, isAllowed } from './actions.ts';
import { RemoveDialog } from './RemoveDialog.tsx';
import { ScaleDialog } from './ScaleDialog.tsx';

export interface ActionBarProps {
  readonly object: KubeObject;
  readonly kind: Kind;
  readonly clusterId: string;
}

export function ActionBar({ object, kind, clusterId }: ActionBarProps) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<string>();
  const [, navigate] = useLocation();
  const fitting = actions.filter(action => action.fits(object));
  const run = (action: Action): void => {
    if (!action.run) {
      setOpen(action.name);
      return;
    }
    const name = object.metadata.name;
    const text = t('act.done', { action: t(`act.${action.name}`), name });
    const { undo } = action;
    const takeBack = undo && (() => tell(undo(object), t('act.undone', { name })));
    tell(action.run(object), text, takeBack);
  };
  const item = (action: Action, className: string, close?: () => void) => {
    const allowed = isAllowed(action, object);
    return (
      <button
        key={action.name}
        type="button"
        className={`${className}${action.name === 'remove' ? ' danger' : ''}`}
        aria-disabled={!allowed}
        title={allowed ? undefined : t('act.denied', { verb: action.verb, resource: kind.resource })}
        onClick={() => {
          if (!allowed) return;
          close?.();
          run(action);
        }}
      >
        <Icon name={action.icon} />
        {t(`act.${action.name}`)}
      </button>
    );
  };
  const direct = fitting.slice(0, 2);
  const rest = fitting.slice(2);
  return (
    <div className="row">
      {direct.map(action => item(action, ''))}
      {rest.length > 0 && (
        <Menu label={t('act.more')} align="end" button={<Icon name="more" />}>
          {close => rest.map(action => item(action, 'plain item', close))}
        </Menu>
      )}
      {open === 'scale' && (
        <ScaleDialog
          object={object}
          now={Number(at(object, 'spec.replicas') ?? 1)}
          onClose={() => setOpen(undefined)}
        />
      )}
      {open === 'remove' && (
        <RemoveDialog
          objects={[object]}
          onClose={() => setOpen(undefined)}
          onDone={() => navigate(addressOf(clusterId, kind.plural))}
        />
      )}
    </div>
  );
}

function tell(promise: Promise<unknown>, text: string, undo?: () => void): void {
  promise.then(
    () => showToast({ text, ...(undo ? { undo } : {}) }),
    (error: unknown) => showToast({ text, error }),
  );
}
