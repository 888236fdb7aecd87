/** Fields of a YAML document, read and set in place: comments, order and whatever else somebody wrote stay as they are. */
import { type Document, isMap, isScalar, parseDocument } from 'yaml';

export type FieldPath = readonly (string | number)[];

export const readDocument = (text: string): Document => parseDocument(text);

export function fieldText(document: Document, path: FieldPath): string {
  const found = document.getIn(path as unknown[], true);
  if (found === undefined || found === null) return '';
  return isScalar(found) ? String(found.value ?? '') : '';
}

/** How many items a list has. */
export function itemCount(document: Document, path: FieldPath): number {
  const found = document.getIn(path as unknown[]) as { items?: readonly unknown[] } | undefined;
  return found?.items?.length ?? 0;
}

/** The keys and values of a map of texts. */
export function mapEntries(document: Document, path: FieldPath): readonly (readonly [string, string])[] {
  const found = document.getIn(path as unknown[]);
  if (!isMap(found)) return [];
  return found.items.map(({ key, value }) => [
    String(isScalar(key) ? key.value : key),
    isScalar(value) ? String(value.value ?? '') : '',
  ]);
}

/** The text with the field set; empty takes it out, and what held nothing else with it. */
export function withField(text: string, path: FieldPath, value: string | number | boolean | undefined): string {
  const document = parseDocument(text);
  if (value === undefined || value === '') takeOut(document, path);
  else {
    const found = document.getIn(path as unknown[], true);
    // A value that is there keeps its comment, and how it was quoted where it stays of the same type.
    if (isScalar(found)) found.value = value;
    else document.setIn(path as unknown[], value);
  }
  return String(document);
}

/** The text with an entry of a map of texts, which may be empty; what looks like a number stays a text. */
export function withEntry(text: string, path: FieldPath, value: string): string {
  const document = parseDocument(text);
  const found = document.getIn(path as unknown[], true);
  if (isScalar(found)) found.value = value;
  else document.setIn(path as unknown[], value);
  return String(document);
}

function takeOut(document: Document, path: FieldPath): void {
  if (!document.hasIn(path as unknown[])) return;
  document.deleteIn(path as unknown[]);
  for (let end = path.length - 1; end > 0; end--) {
    const holder = document.getIn(path.slice(0, end) as unknown[]) as { items?: readonly unknown[] } | undefined;
    if (!holder?.items || holder.items.length > 0) return;
    document.deleteIn(path.slice(0, end) as unknown[]);
  }
}

/** The text with an item more in a list. */
export function withItem(text: string, path: FieldPath, item: unknown): string {
  const document = parseDocument(text);
  if (document.hasIn(path as unknown[])) document.addIn(path as unknown[], document.createNode(item));
  else document.setIn(path as unknown[], document.createNode([item]));
  return String(document);
}

export function withoutItem(text: string, path: FieldPath): string {
  const document = parseDocument(text);
  takeOut(document, path);
  return String(document);
}

/** The text with a key of a map called otherwise; its value and comment stay. */
export function withKey(text: string, path: FieldPath, before: string, after: string): string {
  const document = parseDocument(text);
  const found = document.getIn(path as unknown[]);
  if (!isMap(found) || found.has(after)) return text;
  const pair = found.items.find(({ key }) => String(isScalar(key) ? key.value : key) === before);
  if (pair && isScalar(pair.key)) pair.key.value = after;
  return String(document);
}
