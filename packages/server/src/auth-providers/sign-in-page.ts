/** The few pages of a sign-in elsewhere: what went wrong, which provider to choose, and a program's request to be let in. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { html, type Value } from '../api-ui/html.ts';
import type { NormanError, Page } from '../http/errors.ts';
import { type SignInTexts, signInTexts } from './sign-in-texts.ts';

const style = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:34rem;margin:12vh auto;padding:0 1rem}
code{font-size:1.6rem;letter-spacing:.1em}dl{display:grid;grid-template-columns:auto 1fr;gap:.3rem 1rem}dt{opacity:.75}dd{margin:0;overflow-wrap:anywhere}
button{font:inherit;padding:.5rem 1.2rem;margin-right:.6rem}ul{list-style:none;padding:0}li{margin:.6rem 0}.warn{border-left:4px solid #c60;padding:.2rem .8rem}`;

export function textsFor(request: IncomingMessage): SignInTexts {
  return signInTexts[/^\s*zh/i.test(request.headers['accept-language'] ?? '') ? 'zh' : 'en'];
}

function pageOf(texts: SignInTexts, title: string, main: Value): Page {
  const nonce = randomBytes(16).toString('base64url');
  const text = html`<!doctype html>
<html lang="${texts.lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Drover</title><style nonce="${nonce}">${style}</style></head>
<body><main><h1>${title}</h1>${main}</main></body></html>
`;
  return { text: text.toString(), headers: pageHeaders(nonce) };
}

/** Nothing runs on these pages, nobody frames them, and where they were is told to nobody. */
function pageHeaders(nonce: string): Record<string, string> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src 'nonce-${nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
}

export function sendPage(response: ServerResponse, status: number, { text, headers }: Page): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
  response.end(response.req.method === 'HEAD' ? undefined : text);
}

/** An error for people; undefined for programs, who get it as JSON. */
export function errorPage(request: IncomingMessage, error: NormanError): Page | undefined {
  if (!(request.headers.accept ?? '').includes('text/html')) return undefined;
  const texts = textsFor(request);
  return pageOf(texts, texts.failed, html`<p>${error.message}</p><p><a href="/">${texts.again}</a></p>`);
}

export interface ProviderChoice {
  readonly name: string;
  readonly address: string;
}

/** Which provider to sign in with, before a program's request can be answered. */
export function choicePage(request: IncomingMessage, choices: readonly ProviderChoice[]): Page {
  const texts = textsFor(request);
  const list = choices.map(({ name, address }) => html`<li><a href="${address}">${texts.with(name)}</a></li>`);
  return pageOf(texts, texts.signIn, html`<p>${texts.signInFirst}</p><ul>${list}</ul>`);
}

export interface ShownRequest {
  readonly user: string;
  readonly code: string;
  /** What the code is to be compared with. */
  readonly codeIs: 'code' | 'requestId';
  readonly address?: string;
  readonly host?: string;
  readonly access: string;
  readonly proof: string;
}

/** A program's request, for its owner to compare and to allow; nothing is given before he does. */
export function requestPage(request: IncomingMessage, shown: ShownRequest): Page {
  const texts = textsFor(request);
  const row = (name: string, value: string) => html`<dt>${name}</dt><dd>${value}</dd>`;
  return pageOf(
    texts,
    texts.requestTitle,
    html`<p>${texts.requestLead}</p>
<p>${shown.codeIs === 'code' ? texts.codeIs : texts.requestIdIs}<br><code>${shown.code}</code></p>
<dl>${row(texts.from, shown.address ? (shown.host ? `${shown.address} (${shown.host})` : shown.address) : texts.fromUnknown)}
${row(texts.asUser, shown.user)}${row(texts.gets, shown.access)}</dl>
<p class="warn">${texts.warning}</p>
<form method="post"><input type="hidden" name="proof" value="${shown.proof}">
<button name="answer" value="allow">${texts.allow}</button><button name="answer" value="deny">${texts.deny}</button></form>`,
  );
}

export function donePage(request: IncomingMessage, allowed: boolean): Page {
  const texts = textsFor(request);
  return pageOf(
    texts,
    allowed ? texts.allowed : texts.denied,
    html`<p>${allowed ? texts.allowedLead : texts.deniedLead}</p>`,
  );
}

/** What a test of a configuration came back with, to be carried on by whoever began it. */
export function testPage(request: IncomingMessage, code: string): Page {
  const texts = textsFor(request);
  return pageOf(texts, texts.testTitle, html`<p>${texts.testLead}</p><p><code id="code">${code}</code></p>`);
}
