/** Reads values out of a walked file: what is empty there counts as not there. */
import type { Tree } from './walk.ts';

export const sub = (tree: Tree, name: string): Tree => (tree[name] as Tree | undefined) ?? {};
export const text = (tree: Tree, name: string): string | undefined => (tree[name] as string | undefined) || undefined;
export const number = (tree: Tree, name: string, otherwise: number): number =>
  (tree[name] as number | undefined) ?? otherwise;
export const texts = (tree: Tree, name: string): readonly string[] => (tree[name] as string[] | undefined) ?? [];
