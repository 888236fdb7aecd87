/**
 * The actions of one object: those that fit it. A change shows at once and is taken off again when it is refused; what somebody may not
 * do stays visible and says what it would take, and who can give it.
 */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { addressOf } from '../app/place.ts';
import type { Kind } from '../net/kinds.ts';
import { at, type KubeObject } from '../net/objects.ts';
import { Icon } from '../parts/Icon.tsx';
import { Menu } from '../parts/Menu.tsx';
import { showToast } from '../parts/toasts.ts';
import { type Action, actions, fits, isAllowed, patch } from './actions.ts';
import { BulkDialog } from './BulkDialog.tsx';
import { DeniedDialog } from './DeniedDialog.tsx';
import { mergePatch } from './merge-patch.ts';
import { pendingKey, whilePending } from './pending.ts';
import { showUndoable } from './recent-changes.ts';
import { ScaleDialog } from './ScaleDialog.tsx';

export interface ActionBarProps {
  readonly object: KubeObject;
  readonly kind: Kind;
  readonly clusterId: string;
}

/** Under which what one object is, is kept. */
export const objectKey = (clusterId: string, plural: string, id: string) => ['object', clusterId, plural, id] as const;

export function ActionBar({ object, kind, clusterId }: ActionBarProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [open, setOpen] = useState<Action>();
  const [denied, setDenied] = useState<Action>();
  const [, navigate] = useLocation();
  const key = objectKey(clusterId, kind.plural, object.id);
  const close = (): void => setOpen(undefined);
  /** Shown before it is confirmed, and as it was again where it is refused. */
  const change = (body: unknown): Promise<unknown> => {
    client.setQueryData<KubeObject>(key, shown => shown && mergePatch(shown, body));
    return whilePending(pendingKey(clusterId, kind.plural, object.id), () => patch(object, body)).finally(() =>
      client.invalidateQueries({ queryKey: key }),
    );
  };
  const run = (action: Action): void => {
    if (!action.change) {
      setOpen(action);
      return;
    }
    const text = t('act.done', { action: t(`act.${action.name}`), name: object.metadata.name });
    const back = action.back?.(object);
    change(action.change(object)).then(
      () => (back === undefined ? showToast({ text }) : showUndoable(text, () => change(back))),
      (error: unknown) => showToast({ text, error }),
    );
  };
  const item = (action: Action, className: string, closeMenu?: () => void) => {
    const allowed = isAllowed(action, object);
    return (
      <button
        key={action.name}
        type="button"
        className={`${className}${action.name === 'remove' ? ' danger' : ''}`}
        aria-disabled={!allowed}
        title={allowed ? undefined : t('act.denied', { verb: action.verb, resource: kind.resource })}
        onClick={() => {
          closeMenu?.();
          if (allowed) run(action);
          else setDenied(action);
        }}
      >
        <Icon name={action.icon} />
        {t(`act.${action.name}`)}
      </button>
    );
  };
  const fitting = actions.filter(action => fits(action, object));
  const direct = fitting.slice(0, 2);
  const rest = fitting.slice(2);
  return (
    <div className="row">
      {direct.map(action => item(action, ''))}
      {rest.length > 0 && (
        <Menu label={t('act.more')} align="end" button={<Icon name="more" />}>
          {closeMenu => rest.map(action => item(action, 'plain item', closeMenu))}
        </Menu>
      )}
      {open?.name === 'scale' && (
        <ScaleDialog
          name={object.metadata.name}
          now={Number(at(object, 'spec.replicas') ?? 1)}
          change={change}
          onClose={close}
        />
      )}
      {open?.name === 'remove' && (
        <BulkDialog
          action={open}
          objects={[object]}
          onClose={close}
          onDone={() => navigate(addressOf(clusterId, kind.plural))}
        />
      )}
      {denied && (
        <DeniedDialog
          verb={denied.verb}
          kind={kind}
          clusterId={clusterId}
          object={object}
          onClose={() => setDenied(undefined)}
        />
      )}
    </div>
  );
}
