/**
 * What the server can say on pages: every sentence in the sources that make causes, steps and refusals, as templates with `{1}`, `{2}` …
 * where values stand. Read from the sources' syntax trees, so that a sentence that is new or worded anew is known at once. For tests alone.
 */
import { globSync, readFileSync } from 'node:fs';
import { parseAst } from 'vite';

export interface Spoken {
  readonly path: string;
  readonly template: string;
}

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** A line of two words of letters at least is a sentence; names, paths and commands are none. */
const sentence = /(?:^|[\s“"({}:])[A-Za-z’']+[,:;]? (?:[a-z’']+|\{\d+\}|"\{)/;
const codeLike =
  /\| while |\$\(|^#|[=|]\s*\{|^--|=>|\|\||&&|^(?:for|if|while|sed|awk|echo|mv|cat|chown|chmod|systemctl|exec|sockets|alias|unset|curl \{|-type|"\$|trap|ss|ip) /;

/** The sentences among them. */
export const isSentence = ({ template }: Spoken): boolean => sentence.test(template) && !codeLike.test(template);

/** Every line of text in the files. */
export function spokenIn(root: URL, globs: readonly string[]): Spoken[] {
  const paths = [...new Set(globs.flatMap(glob => globSync(glob, { cwd: root })))].sort();
  return paths
    .filter(path => !path.endsWith('.test.ts'))
    .flatMap(path => {
      const source = readFileSync(new URL(path, root), 'utf8');
      const found: Spoken[] = [];
      walk(parseAst(source, { lang: 'ts' }) as unknown as Node, text => {
        for (const line of text.split('\n')) found.push({ path, template: numbered(line.trim()) });
      });
      return found;
    });
}

/** `{}` stands for a value; in the catalogue each has a number, for Chinese may want another order. */
function numbered(text: string): string {
  let number = 0;
  return text.replaceAll('{}', () => `{${++number}}`);
}

function walk(node: Node, say: (text: string) => void): void {
  if (node.type === 'ImportDeclaration' || node.type === 'TSLiteralType' || isForTheLog(node)) return;
  const text = textOf(node);
  if (text !== undefined) say(text);
  // A sentence that is put together of pieces is one; what stands in its places may be another.
  const inner = node.type === 'BinaryExpression' && text !== undefined ? placesOf(node) : Object.values(node);
  for (const value of inner.flat()) if (isNode(value)) walk(value, say);
}

/** The text of a literal, of a template, or of several put together; values are `{}`. */
function textOf(node: Node): string | undefined {
  if (node.type === 'Literal') return typeof node['value'] === 'string' ? node['value'] : undefined;
  if (node.type === 'TemplateLiteral')
    return (node['quasis'] as { value: { cooked: string } }[]).map(({ value }) => value.cooked).join('{}');
  if (node.type !== 'BinaryExpression' || node['operator'] !== '+') return undefined;
  const sides = [node['left'], node['right']].map(side => textOf(side as Node));
  return sides.every(side => side === undefined) ? undefined : sides.map(side => side ?? '{}').join('');
}

function placesOf(node: Node): Node[] {
  if (node.type === 'BinaryExpression') return [node['left'], node['right']].flatMap(side => placesOf(side as Node));
  if (node.type === 'TemplateLiteral') return node['expressions'] as Node[];
  return node.type === 'Literal' ? [] : [node];
}

function isForTheLog(node: Node): boolean {
  if (node.type !== 'CallExpression') return false;
  const callee = node['callee'] as Node;
  const object = callee['object'] as Node | undefined;
  const name = (object?.['property'] ?? object) as Node | undefined;
  return callee.type === 'MemberExpression' && /^#?log$/.test(String(name?.['name'] ?? ''));
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
