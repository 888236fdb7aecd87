/** What a kind is called in the language of the page: translated where people do so, else as the cluster calls it. */
import type { TFunction } from 'i18next';
import type { Kind } from '../net/kinds.ts';
import { pluralOf } from './groups.ts';

export function kindName(t: TFunction, kind: Pick<Kind, 'kind'>): string {
  return t(`kinds.${kind.kind}`, { defaultValue: pluralOf(kind) });
}

/** One of a kind: as the cluster writes it where the language has plurals, else its name. */
export function kindWord(t: TFunction, kind: Pick<Kind, 'kind'>, language: string): string {
  return language.startsWith('zh') ? kindName(t, kind) : kind.kind;
}
