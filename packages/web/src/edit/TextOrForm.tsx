/** One object to be edited, as YAML or in a form, back and forth: the form writes into the text, and leaves its comments alone. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { readYaml } from '../detail/yaml.ts';
import type { Kind } from '../net/kinds.ts';
import { useDefinitions } from './definitions.ts';
import { forms, identity } from './form-fields.ts';
import { ObjectForm } from './ObjectForm.tsx';
import { YamlEditor } from './YamlEditor.tsx';

export interface TextOrFormProps {
  readonly clusterId: string;
  readonly kind: Kind;
  readonly text: string;
  readonly label: string;
  readonly isReadOnly?: boolean;
  /** What is made now gets a name, and begins as a form. */
  readonly isNew?: boolean;
  readonly onChange: (text: string) => void;
}

export function TextOrForm({
  clusterId,
  kind,
  text,
  label,
  isReadOnly = false,
  isNew = false,
  onChange,
}: TextOrFormProps) {
  const { t } = useTranslation();
  const own = forms[kind.plural];
  const fields = own && isNew ? [...identity(kind), ...own] : own;
  const [asForm, setAsForm] = useState(isNew);
  const definitions = useDefinitions(clusterId, kind);
  const { fault } = readYaml(text);
  const showsForm = asForm && fields !== undefined && !isReadOnly && !fault;
  return (
    <>
      {fields && !isReadOnly && (
        // biome-ignore lint/a11y/useSemanticElements: a fieldset has looks of its own
        <div className="row" role="group" aria-label={t('edit.as')}>
          {(['yaml', 'form'] as const).map(one => (
            <button
              key={one}
              type="button"
              className="chip"
              aria-pressed={showsForm === (one === 'form')}
              disabled={one === 'form' && fault !== undefined}
              onClick={() => setAsForm(one === 'form')}
            >
              {t(`edit.${one}`)}
            </button>
          ))}
        </div>
      )}
      {showsForm ? (
        <ObjectForm text={text} fields={fields} onChange={onChange} />
      ) : (
        <YamlEditor text={text} label={label} isReadOnly={isReadOnly} definitions={definitions} onChange={onChange} />
      )}
    </>
  );
}
