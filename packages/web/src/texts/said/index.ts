/** What the server says, in the language that is chosen; its own words where that is English, or where there is no translation. */
import type { Say } from './say.ts';

interface Speech {
  readonly say: Say;
  /** What fields of forms are called. */
  readonly fieldNames: Readonly<Record<string, string>>;
}

const asItIs: Speech = { say: () => undefined, fieldNames: {} };
let speech = asItIs;

/** Chosen with the language, before anything of it is shown. */
export function speak(next: Speech = asItIs): void {
  speech = next;
}

export const said = (words: string): string => speech.say(words) ?? words;

/** A refusal with the field that it is about. */
export function saidOf({ message, field }: { readonly message: string; readonly field?: string | undefined }): string {
  if (field === undefined) return said(message);
  const told = speech.say(message);
  return told === undefined ? `${field}: ${message}` : `${speech.fieldNames[field] ?? field}：${told}`;
}
