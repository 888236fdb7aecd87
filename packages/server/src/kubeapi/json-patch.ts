/** JSON patches (RFC 6902): each operation on the result of the one before; all of them or none. */
import { badRequest, StatusError, tooLarge } from '@drover/base';
import { isObject, type Json } from './shape.ts';

const mostOperations = 1000;
/** All that is copied by one patch, as JSON: each copy may double what is there. */
const mostCopied = 1 << 20;

/** The document with the patch applied. Throws BadRequest for what is no patch, Invalid where it does not fit or a test fails. */
export function jsonPatch(document: Json, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('a JSON patch must be a list of operations');
  if (patch.length > mostOperations) throw badRequest(`a JSON patch must have at most ${mostOperations} operations`);
  let copied = 0;
  let root: unknown = structuredClone(document);
  for (const operation of patch) {
    if (!isObject(operation)) throw badRequest('each operation of a JSON patch must be an object');
    const { op, value } = operation;
    const path = pointer(operation['path']);
    switch (op) {
      case 'add':
        root = put(root, path, { value, insert: true });
        break;
      case 'replace':
        get(root, path);
        root = put(root, path, { value, insert: false });
        break;
      case 'remove':
        remove(root, path);
        break;
      case 'move':
      case 'copy': {
        const from = pointer(operation['from']);
        const moved = structuredClone(get(root, from));
        copied += JSON.stringify(moved)?.length ?? 0;
        if (copied > mostCopied) throw tooLarge(`a JSON patch must copy at most ${mostCopied} bytes`);
        if (op === 'move') remove(root, from);
        root = put(root, path, { value: moved, insert: true });
        break;
      }
      case 'test':
        if (!isEqual(get(root, path), value)) throw misfit(`testing value ${operation['path']} failed`);
        break;
      default:
        throw badRequest(`"${String(op)}" is no operation of a JSON patch`);
    }
  }
  return root;
}

const misfit = (message: string) => new StatusError(422, 'Invalid', message);

function pointer(text: unknown): string[] {
  if (typeof text !== 'string' || (text !== '' && !text.startsWith('/')))
    throw badRequest(`"${String(text)}" is no JSON pointer`);
  const parts = text.split('/').slice(1);
  if (parts.includes('__proto__')) throw badRequest('"__proto__" is no name of a field');
  return parts.map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function get(root: unknown, path: readonly string[]): unknown {
  let value = root;
  for (const part of path) {
    if (Array.isArray(value) && /^(0|[1-9]\d*)$/.test(part) && Number(part) < value.length) value = value[Number(part)];
    else if (isObject(value) && Object.hasOwn(value, part)) value = value[part];
    else throw misfit(`nothing is at /${path.join('/')}`);
  }
  return value;
}

function put(root: unknown, path: readonly string[], { value, insert }: { value: unknown; insert: boolean }): unknown {
  const last = path.at(-1);
  if (last === undefined) return value;
  const parent = get(root, path.slice(0, -1));
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : Number(last);
    if (!/^(-|0|[1-9]\d*)$/.test(last) || index > parent.length)
      throw misfit(`/${path.join('/')} is outside of its list`);
    parent.splice(index, insert ? 0 : 1, value);
  } else if (isObject(parent)) parent[last] = value;
  else throw misfit(`nothing can be put at /${path.join('/')}`);
  return root;
}

function remove(root: unknown, path: readonly string[]): void {
  get(root, path);
  const parent = get(root, path.slice(0, -1));
  const last = path.at(-1)!;
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else if (isObject(parent)) delete parent[last];
}

function isEqual(a: unknown, b: unknown): boolean {
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((one, i) => isEqual(one, b[i]));
  if (!isObject(a)) return a === b;
  if (!isObject(b) || Object.keys(a).length !== Object.keys(b).length) return false;
  return Object.entries(a).every(([key, value]) => Object.hasOwn(b, key) && isEqual(value, b[key]));
}
