/** A new object of a kind, from a sample that works, as a form or as YAML; the cluster looks at it before anything is made. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation, useParams } from 'wouter';
import { kindName } from '../app/kind-name.ts';
import { addressOf } from '../app/place.ts';
import { readYaml } from '../detail/yaml.ts';
import { useDefinitions } from '../edit/definitions.ts';
import { forms } from '../edit/form-fields.ts';
import { sampleOf } from '../edit/samples.ts';
import { TextOrForm } from '../edit/TextOrForm.tsx';
import { useChosenNamespaces, useNamespaces } from '../list/NamespacePicker.tsx';
import { clusterRoot, type Kind, useKinds } from '../net/kinds.ts';
import type { KubeObject } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { Icon } from '../parts/Icon.tsx';
import { KindsAwaited } from '../parts/KindsAwaited.tsx';
import { Empty, FormError } from '../parts/Notices.tsx';
import { Title } from '../parts/Title.tsx';
import { showToast } from '../parts/toasts.ts';

export function CreateObject() {
  const { t } = useTranslation();
  const { clusterId = '', plural = '' } = useParams<{ clusterId: string; plural: string }>();
  const kinds = useKinds(clusterId);
  const kind = kinds.data?.get(plural);
  const definitions = useDefinitions(clusterId, kind ?? ({ id: 'none' } as Kind));
  if (!kinds.data) return <KindsAwaited kinds={kinds} />;
  if (!kind) return <Empty isPage icon="help" title={t('list.noKind', { kind: plural })} hint={t('list.noKindHint')} />;
  // What the cluster says of an own kind comes late, and is worth another beginning.
  return <Create key={definitions && !forms[plural] ? 'known' : plural} clusterId={clusterId} kind={kind} />;
}

function Create({ clusterId, kind }: { readonly clusterId: string; readonly kind: Kind }) {
  const { t } = useTranslation();
  const [, navigate] = useLocation();
  const definitions = useDefinitions(clusterId, kind);
  const [chosen] = useChosenNamespaces();
  const namespaces = useNamespaces(clusterId);
  const namespace = chosen.find(name => namespaces.includes(name)) ?? chosen[0] ?? 'default';
  const [text, setText] = useState(() =>
    sampleOf({ kind, name: 'my-app', namespace, definitions, hint: word => t(`edit.hint.${word}`) }),
  );
  const [error, setError] = useState<unknown>();
  const [isFine, setFine] = useState(false);
  const [busy, setBusy] = useState(false);
  const { value, fault } = readYaml(text);
  const name = kindName(t, kind);
  const send = async (dryRun: boolean): Promise<void> => {
    setBusy(true);
    setError(undefined);
    setFine(false);
    try {
      const path = `${clusterRoot(clusterId)}/${kind.plural}?fieldManager=drover-ui&fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`;
      const made = await ask<KubeObject>(path, { method: 'POST', body: value });
      if (dryRun) setFine(true);
      else {
        showToast({ text: t('edit.created', { name: made.metadata.name }) });
        navigate(addressOf(clusterId, kind.plural, made.id));
      }
    } catch (refused) {
      setError(refused);
    }
    setBusy(false);
  };
  return (
    <>
      <Title title={t('edit.createTitle', { kinds: name })} />
      <div className="yaml">
        {fault && <p className="form-error">{fault}</p>}
        <FormError error={error} />
        {isFine && (
          <p className="hint-line" role="status">
            <Icon name="ok" className="ok" />
            {t('edit.fine')}
          </p>
        )}
        <TextOrForm
          clusterId={clusterId}
          kind={kind}
          text={text}
          label={`${kind.kind}, YAML`}
          isNew
          onChange={next => {
            setText(next);
            setFine(false);
          }}
        />
        <div className="row">
          <button type="button" className="primary" disabled={!value || busy} onClick={() => void send(false)}>
            {t('list.create')}
          </button>
          <button type="button" disabled={!value || busy} onClick={() => void send(true)}>
            {t('edit.check')}
          </button>
        </div>
      </div>
    </>
  );
}
