/** A manifest of one or more resources, applied to a cluster as its user; what became of each is told line by line. */
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNamespaces } from '../list/NamespacePicker.tsx';
import { ask } from '../net/request.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { FormError } from '../parts/Notices.tsx';

export function ApplyDialog({ clusterId, onClose }: { readonly clusterId: string; readonly onClose: () => void }) {
  const { t } = useTranslation();
  const namespaces = useNamespaces(clusterId);
  const [error, setError] = useState<unknown>();
  const [message, setMessage] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const body = { yaml: String(form.get('yaml')), defaultNamespace: String(form.get('namespace')) };
    setBusy(true);
    setError(undefined);
    setMessage('');
    try {
      const path = `/v3/clusters/${clusterId}?action=importYaml`;
      setMessage((await ask<{ message: string }>(path, { method: 'POST', body })).message);
    } catch (refused) {
      setError(refused);
    }
    setBusy(false);
  };
  return (
    <Dialog title={t('act.apply')} wide onClose={onClose}>
      <form onSubmit={event => void submit(event)}>
        <label className="field">
          <span>{t('act.manifest')}</span>
          <textarea
            name="yaml"
            className="mono"
            rows={16}
            required
            spellCheck={false}
            placeholder="apiVersion: v1&#10;kind: ConfigMap&#10;…"
          />
          <small>{t('act.manifestHint')}</small>
        </label>
        <label className="field">
          <span>{t('act.defaultNamespace')}</span>
          <select name="namespace" defaultValue="default">
            {[...new Set(['default', ...namespaces])].map(name => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <FormError error={error} />
        {message && (
          <pre className="said" role="status">
            {message}
          </pre>
        )}
        <footer>
          <button type="button" onClick={onClose}>
            {t('frame.close')}
          </button>
          <button type="submit" className="primary" disabled={busy}>
            {t('act.applyNow')}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
