/** The form of an object over its YAML: each entry is written into the text where it belongs, and the rest of the text stays as it is. */
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Document } from 'yaml';
import { Icon } from '../parts/Icon.tsx';
import {
  type FieldPath,
  fieldText,
  itemCount,
  mapEntries,
  readDocument,
  withEntry,
  withField,
  withItem,
  withKey,
  withoutItem,
} from './document-fields.ts';
import type { Field } from './form-fields.ts';

export interface ObjectFormProps {
  readonly text: string;
  readonly fields: readonly Field[];
  readonly onChange: (text: string) => void;
}

export function ObjectForm({ text, fields, onChange }: ObjectFormProps) {
  const document = useMemo(() => readDocument(text), [text]);
  return (
    <div className="object-form">
      <Fields at={[]} form={{ text, document, onChange }} fields={fields} />
    </div>
  );
}

interface Form {
  readonly text: string;
  readonly document: Document;
  readonly onChange: (text: string) => void;
}

interface FieldsProps {
  readonly form: Form;
  readonly fields: readonly Field[];
  readonly at: FieldPath;
}

function Fields({ form, fields, at }: FieldsProps) {
  return (
    <div className="form-grid">
      {fields.map(field => (
        <One key={field.name} form={form} field={field} path={[...at, ...field.path]} />
      ))}
    </div>
  );
}

interface OneProps {
  readonly form: Form;
  readonly field: Field;
  readonly path: FieldPath;
}

function One({ form, field, path }: OneProps) {
  if (field.as === 'list') return <List form={form} field={field} path={path} />;
  if (field.as === 'map') return <Pairs form={form} field={field} path={path} />;
  return <Single form={form} field={field} path={path} />;
}

function Single({ form, field, path }: OneProps) {
  const { t } = useTranslation();
  const value = fieldText(form.document, path);
  const set = (next: string): void =>
    form.onChange(withField(form.text, path, field.as === 'number' && /^-?\d+$/.test(next) ? Number(next) : next));
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: one of two is in it
    <label className="field">
      <span>{t(`edit.field.${field.name}`)}</span>
      {field.as === 'choice' ? (
        <select value={value} onChange={event => set(event.target.value)}>
          {!field.choices.includes(value) && <option value={value}>{value || '–'}</option>}
          {field.choices.map(choice => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : (
        <input
          type={field.as === 'number' ? 'number' : 'text'}
          value={value}
          spellCheck={false}
          onChange={event => set(event.target.value)}
        />
      )}
    </label>
  );
}

function Pairs({ form, field, path }: OneProps) {
  const { t } = useTranslation();
  const entries = mapEntries(form.document, path);
  const name = t(`edit.field.${field.name}`);
  const fresh = (): string => {
    let at = 1;
    while (entries.some(([key]) => key === `key-${at}`)) at++;
    return `key-${at}`;
  };
  return (
    <fieldset className="form-part">
      <legend>{name}</legend>
      {entries.map(([key, value], at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a key is renamed while one types in its field
        <div key={at} className="pair">
          <input
            value={key}
            spellCheck={false}
            aria-label={`${name}: ${t('edit.key')}`}
            onChange={event => form.onChange(withKey(form.text, path, key, event.target.value))}
          />
          {value.includes('\n') ? (
            <textarea
              value={value}
              rows={4}
              spellCheck={false}
              className="mono"
              aria-label={key}
              onChange={event => form.onChange(withEntry(form.text, [...path, key], event.target.value))}
            />
          ) : (
            <input
              value={value}
              spellCheck={false}
              aria-label={key}
              onChange={event => form.onChange(withEntry(form.text, [...path, key], event.target.value))}
            />
          )}
          <button
            type="button"
            className="plain"
            aria-label={t('edit.takeOut', { name: key })}
            onClick={() => form.onChange(withField(form.text, [...path, key], undefined))}
          >
            <Icon name="trash" />
          </button>
        </div>
      ))}
      <button type="button" onClick={() => form.onChange(withField(form.text, [...path, fresh()], 'value'))}>
        <Icon name="plus" />
        {t('manage.add')}
      </button>
    </fieldset>
  );
}

function List({ form, field, path }: OneProps & { readonly field: Extract<Field, { as: 'list' }> }) {
  const { t } = useTranslation();
  const count = itemCount(form.document, path);
  const name = t(`edit.field.${field.name}`);
  return (
    <fieldset className="form-part">
      <legend>{name}</legend>
      {Array.from({ length: count }, (_, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: items have no names of their own
        <div key={at} className="form-item">
          <Fields form={form} fields={field.fields} at={[...path, at]} />
          <button
            type="button"
            className="plain"
            aria-label={t('edit.takeOut', { name: `${name} ${at + 1}` })}
            onClick={() => form.onChange(withoutItem(form.text, [...path, at]))}
          >
            <Icon name="trash" />
          </button>
        </div>
      ))}
      <button type="button" onClick={() => form.onChange(withItem(form.text, path, field.fresh))}>
        <Icon name="plus" />
        {t('manage.add')}
      </button>
    </fieldset>
  );
}
