/**
 * The script of the pages: dialogs, forms to JSON, filters. It is served as the text of the functions below, so they may use
 * each other and the browser, and nothing else of this file or of the server; text becomes elements by textContent alone.
 */

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;
type Body = Record<string, unknown>;

function part<E extends HTMLElement>(form: HTMLElement, name: string): E | null {
  return form.querySelector<E>(`[data-part="${name}"]`);
}

function controlsOf(form: HTMLElement): Control[] {
  return [...form.querySelectorAll<Control>('[data-kind]')];
}

function isChanged(control: Control): boolean {
  if (!(control instanceof HTMLSelectElement)) return control.value !== control.defaultValue;
  return control.value !== ([...control.options].find(option => option.defaultSelected)?.value ?? '');
}

/** Undefined where it is no JSON, which the browser then says of the control. */
function parseJson(control: Control): unknown {
  try {
    const value: unknown = JSON.parse(control.value);
    control.setCustomValidity('');
    return value;
  } catch {
    control.setCustomValidity(document.body.dataset['notJson'] ?? '');
    return undefined;
  }
}

/** What a control holds, as JSON holds it. */
function held(control: Control): unknown {
  const { kind } = control.dataset;
  const text = control.value;
  const lines = text.split('\n').map(line => line.trim());
  if (kind === 'lines') return lines.filter(line => line !== '');
  if (kind === 'pairs') {
    const pairs = lines.filter(line => line !== '').map(line => (line.includes('=') ? line : `${line}=`));
    const cut = (line: string) => [line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1).trim()];
    return Object.fromEntries(pairs.map(cut));
  }
  if (text === '') return control instanceof HTMLSelectElement || kind !== 'text' ? null : '';
  if (kind === 'number') return Number(text);
  if (kind === 'boolean') return text === 'true';
  return kind === 'json' ? parseJson(control) : text;
}

/** What the form would send: on edit what was changed, on create what was filled in. `masked` hides passwords. */
function bodyOf(form: HTMLFormElement, masked = false): Body {
  const body: Body = {};
  for (const control of controlsOf(form)) {
    if (form.dataset['edit'] === 'true' ? !isChanged(control) : control.value.trim() === '') continue;
    body[control.name] = masked && control.type === 'password' ? '…' : held(control);
  }
  return body;
}

function jsonArea(form: HTMLFormElement): HTMLTextAreaElement | null {
  const area = part<HTMLTextAreaElement>(form, 'json');
  return area && !area.hidden ? area : null;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function showRequest(form: HTMLFormElement): void {
  const place = part(form, 'request');
  if (!place) return;
  const { method = 'POST', target = '' } = form.dataset;
  const lines = [`curl -s -X ${method} ${quote(target)}`, '-H "Authorization: Bearer $DROVER_TOKEN"'];
  const body = jsonArea(form)?.value ?? JSON.stringify(bodyOf(form, true));
  if (method !== 'DELETE' && controlsOf(form).length > 0)
    lines.push("-H 'Content-Type: application/json'", `-d ${quote(body)}`);
  place.textContent = lines.join(' \\\n  ');
}

function setMode(form: HTMLFormElement, mode: string): void {
  const area = part<HTMLTextAreaElement>(form, 'json');
  const fields = part(form, 'form');
  if (!area || !fields) return;
  if (mode === 'json' && area.hidden) {
    const base = form.dataset['edit'] === 'true' ? (JSON.parse(area.defaultValue || '{}') as Body) : {};
    area.value = JSON.stringify({ ...base, ...bodyOf(form) }, undefined, 2);
  }
  area.hidden = mode !== 'json';
  fields.hidden = mode === 'json';
  for (const control of controlsOf(form)) control.disabled = mode === 'json';
  for (const button of form.querySelectorAll<HTMLElement>('[data-mode]'))
    button.setAttribute('aria-pressed', String(button.dataset['mode'] === mode));
  showRequest(form);
}

/** Asks the server as this page's user; changes show the value that only pages of this server can read. */
async function ask(
  method: string,
  url: string,
  body?: unknown,
): Promise<{ ok: boolean; status: number; body: Body | undefined }> {
  const csrf = /(?:^|; )CSRF=([0-9a-f]+)/.exec(document.cookie)?.[1];
  const headers: Record<string, string> = { accept: 'application/json' };
  if (csrf) headers['x-api-csrf'] = csrf;
  if (body !== undefined) headers['content-type'] = 'application/json';
  const response = await fetch(url, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json');
  return { ok: response.ok, status: response.status, body: isJson && text ? (JSON.parse(text) as Body) : undefined };
}

function showError(form: HTMLFormElement, error: Body | undefined, status?: number): void {
  const place = part(form, 'error');
  if (!place) return;
  const field = String(error?.['fieldName'] ?? '');
  const code = String(error?.['code'] ?? status ?? '');
  const message = String(error?.['message'] ?? document.body.dataset['failed'] ?? '');
  place.textContent = [field, code, message].filter(Boolean).join(': ');
  place.hidden = false;
  controlsOf(form)
    .find(control => control.name === field)
    ?.focus();
}

function element(tag: string, text: string): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

/** Shows what was answered in the place of the form: each text by itself where it has lines of its own, the rest as JSON. */
function showAnswer(form: HTMLFormElement, answer: Body): void {
  const place = part(form, 'answer');
  if (!place) return;
  const { links, actions, ...rest } = answer;
  const names = new Set(['type', 'baseType']);
  const texts = Object.entries(rest).filter(
    ([name, value]) => typeof value === 'string' && value.includes('\n') && !names.has(name),
  );
  const shown = texts.length > 0 ? texts : [['', JSON.stringify(rest, undefined, 2)] as const];
  place.replaceChildren(...shown.flatMap(([name, value]) => [element('h3', name), element('pre', String(value))]));
  const self = (links as Body | undefined)?.['self'];
  if (typeof self === 'string' && self.startsWith(`${location.origin}/`)) {
    const link = element('a', document.body.dataset['open'] ?? '') as HTMLAnchorElement;
    link.href = self;
    place.append(link);
  }
  for (const name of ['form', 'json', 'error']) part(form, name)?.setAttribute('hidden', '');
  for (const one of form.querySelectorAll<HTMLElement>('[type="submit"], .tabs, details')) one.hidden = true;
  const close = form.querySelector<HTMLElement>('[data-close]');
  if (close) close.textContent = document.body.dataset['close'] ?? '';
  form.dataset['done'] = 'true';
  place.hidden = false;
}

function finish(form: HTMLFormElement, answer: Body | undefined): void {
  const { after = 'reload', once = '' } = form.dataset;
  const secret = once.split(' ').some(name => name !== '' && answer?.[name]);
  const self = (answer?.['links'] as Body | undefined)?.['self'];
  if (answer && (after === 'show' || secret)) showAnswer(form, answer);
  else if (after.startsWith('/')) location.assign(after);
  else if (after === 'open' && typeof self === 'string' && self.startsWith(`${location.origin}/`))
    location.assign(self);
  else location.reload();
}

async function submit(form: HTMLFormElement): Promise<void> {
  const { method = 'POST', target = '' } = form.dataset;
  const button = form.querySelector<HTMLButtonElement>('[type="submit"]');
  const area = jsonArea(form);
  const payload = method === 'DELETE' ? undefined : area ? parseJson(area) : bodyOf(form);
  if (!form.reportValidity()) return;
  if (button) button.disabled = true;
  try {
    // By the path alone: the page may have been reached by another name than the one in its links.
    const { pathname, search } = new URL(target, location.href);
    const { ok, status, body } = await ask(method, pathname + search, payload);
    if (ok) finish(form, body);
    else showError(form, body, status);
  } catch {
    showError(form, undefined);
  } finally {
    if (button) button.disabled = false;
  }
}

async function signIn(form: HTMLFormElement): Promise<void> {
  const given = Object.fromEntries(new FormData(form)) as Body;
  try {
    const { ok, status, body } = await ask('POST', form.dataset['target'] ?? '', { ...given, responseType: 'cookie' });
    if (ok) location.reload();
    else showError(form, body, status);
  } catch {
    showError(form, undefined);
  }
}

function addFilter(form: HTMLFormElement): void {
  const { field, modifier, value } = Object.fromEntries(new FormData(form)) as Record<string, string>;
  const url = new URL(location.href);
  url.searchParams.delete('marker');
  url.searchParams.append(modifier === 'eq' ? field! : `${field}_${modifier}`, value ?? '');
  location.assign(url.pathname + url.search);
}

function find(input: HTMLInputElement): void {
  const word = input.value.trim().toLowerCase();
  for (const item of document.getElementById(input.dataset['find'] ?? '')?.children ?? [])
    (item as HTMLElement).hidden = !((item as HTMLElement).dataset['word'] ?? '').toLowerCase().includes(word);
}

async function copy(button: HTMLElement): Promise<void> {
  await navigator.clipboard.writeText(button.previousElementSibling?.textContent ?? '');
  button.textContent = document.body.dataset['copied'] ?? '';
}

function onClick(event: Event): void {
  const button = (event.target as HTMLElement).closest<HTMLElement>('button');
  if (!button) return;
  const { dialog, mode } = button.dataset;
  const form = button.closest('form');
  if (dialog) {
    const opened = document.getElementById(dialog) as HTMLDialogElement;
    opened.showModal();
    const inside = opened.querySelector('form');
    if (inside) showRequest(inside);
  } else if (mode && form) setMode(form, mode);
  else if ('close' in button.dataset) {
    button.closest('dialog')?.close();
    if (form?.dataset['done']) location.reload();
  } else if ('copy' in button.dataset) void copy(button);
  else if (button.id === 'sign-out') void ask('POST', '/v3/tokens?action=logout').then(() => location.assign('/v3'));
}

function onSubmit(event: SubmitEvent): void {
  const form = event.target as HTMLFormElement;
  event.preventDefault();
  if (form.id === 'filter') addFilter(form);
  else if (form.id === 'sign-in') void signIn(form);
  else if (form.dataset['target']) void submit(form);
}

function onInput(event: Event): void {
  const input = event.target as HTMLInputElement;
  if (input.dataset['find']) find(input);
  const form = input.form;
  if (form?.dataset['target'] && form.id !== 'sign-in') {
    input.setCustomValidity('');
    showRequest(form);
  }
}

/** A browser can't point at what is folded. */
function onInvalid(event: Event): void {
  (event.target as HTMLElement).closest('details')?.setAttribute('open', '');
}

function start(): void {
  document.addEventListener('invalid', onInvalid, true);
  document.addEventListener('click', onClick);
  document.addEventListener('submit', onSubmit);
  document.addEventListener('input', onInput);
}

const functions = [
  ...[part, controlsOf, isChanged, parseJson, held, bodyOf, jsonArea, quote, showRequest, setMode, ask, showError],
  ...[element, showAnswer, finish, submit, signIn, addFilter, find, copy, onClick, onSubmit, onInput, onInvalid, start],
];

export const pageScript = `'use strict';\n${functions.map(String).join('\n')}\n${start.name}();\n`;
