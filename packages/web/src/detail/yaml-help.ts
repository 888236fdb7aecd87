/** What the editor knows of a kind: the fields that may stand where one writes, with what they mean, and the same under the pointer. */
import { autocompletion, type Completion, type CompletionContext, completionKeymap } from '@codemirror/autocomplete';
import type { Extension } from '@codemirror/state';
import { hoverTooltip, keymap } from '@codemirror/view';
import { type Definitions, type FieldDefinition, fieldsAt } from '../edit/definitions.ts';
import { placeIn } from '../edit/yaml-path.ts';

/** `definitions` are asked for when they are needed: they may come late. */
export function yamlHelp(definitions: () => Definitions | undefined): Extension {
  const complete = (context: CompletionContext) => {
    const known = definitions();
    if (!known) return null;
    const place = placeIn(context.state.doc.toString(), context.pos);
    const fields = fieldsAt(known, place.path);
    const word = place.word ?? '';
    if (!fields || (word === '' && !context.explicit && place.valueKey === undefined)) return null;
    const options = place.valueKey === undefined ? keysOf(fields) : valuesOf(fields[place.valueKey]);
    return options.length === 0 ? null : { from: context.pos - word.length, options, validFor: /^[\w.-]*$/ };
  };
  const hover = hoverTooltip((view, position) => {
    const known = definitions();
    const line = view.state.doc.lineAt(position);
    const key = /^(?:[\s-]*)([\w.-]+)\s*:/.exec(line.text);
    if (!known || !key) return null;
    const from = line.from + key[0].indexOf(key[1]!);
    if (position < from || position > from + key[1]!.length) return null;
    const field = fieldsAt(known, placeIn(view.state.doc.toString(), from).path)?.[key[1]!];
    if (!field) return null;
    return {
      pos: from,
      end: from + key[1]!.length,
      create: () => ({ dom: explain(key[1]!, field) }),
    };
  });
  return [autocompletion({ override: [complete], icons: false }), keymap.of(completionKeymap), hover];
}

function keysOf(fields: Readonly<Record<string, FieldDefinition>>): Completion[] {
  return Object.entries(fields).map(([name, field]) => ({
    label: name,
    detail: typeText(field),
    apply: `${name}:${/^(?:string|int|float|boolean|intOrString)$/.test(field.type) ? ' ' : ''}`,
    boost: field.required ? 1 : 0,
    ...(field.description ? { info: () => explain(name, field) } : {}),
  }));
}

function valuesOf(field: FieldDefinition | undefined): Completion[] {
  const values = field?.options ?? (field?.type === 'boolean' ? ['true', 'false'] : []);
  return values.map(label => ({ label }));
}

const shortName = (type: string): string => type.replace(/^.*\./, '');
const typeText = ({ type, subtype }: FieldDefinition): string =>
  subtype ? `${type} · ${shortName(subtype)}` : shortName(type);

function explain(name: string, field: FieldDefinition): HTMLElement {
  const box = document.createElement('div');
  box.className = 'field-help';
  const title = document.createElement('strong');
  title.textContent = `${name}${field.required ? ' *' : ''} · ${typeText(field)}`;
  const text = document.createElement('p');
  text.textContent = field.description ?? '';
  box.append(title, text);
  return box;
}
