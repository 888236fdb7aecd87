/** The frame of every page: head, a bar with the way here and who is signed in, and the words that the script needs. */
import { assets } from './assets.ts';
import { html, type Markup, type Value } from './html.ts';
import type { Texts } from './texts.ts';

export interface FrameOptions {
  readonly texts: Texts;
  /** Only what carries it is run or applied: it is made anew for each answer. */
  readonly nonce: string;
  readonly title: string;
  /** The way here, from the root of the API. */
  readonly path?: string;
  /** Who is signed in; `canSignOut` where a cookie is what he is signed in by. */
  readonly user?: { readonly name: string; readonly canSignOut: boolean };
  readonly main: Value;
}

export function frame({ texts, nonce, title, path = '/v3', user, main }: FrameOptions): Markup {
  return html`<!doctype html>
<html lang="${texts.lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · ${texts.title}</title>
<link rel="stylesheet" href="${assets.css.path}" nonce="${nonce}">
<link rel="icon" href="data:,">
<script src="${assets.js.path}" nonce="${nonce}" defer></script>
</head>
<body data-failed="${texts.failed}" data-not-json="${texts.notJson}" data-copied="${texts.copied}" data-open="${texts.open}" data-close="${texts.close}">
<header class="bar"><a class="brand" href="/v3">${texts.title}</a>
<nav aria-label="breadcrumb">${crumbs(path)}</nav>
${user && html`<span class="user">${user.name}</span>${user.canSignOut && html`<button type="button" id="sign-out">${texts.signOut}</button>`}`}</header>
<main>${main}</main>
</body>
</html>
`;
}

/** Each segment of the path leads to what it names, as it was written. */
function crumbs(path: string): Markup {
  const segments = path.split('/').filter(Boolean).slice(1);
  return html`${segments.map((segment, i) => {
    const address = `/v3/${segments.slice(0, i + 1).join('/')}`;
    const last = i === segments.length - 1;
    return html`<span aria-hidden="true">/</span><a href="${address}"${last && html` aria-current="page"`}>${readable(segment)}</a>`;
  })}`;
}

function readable(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** What a page says of itself: its JSON, and the command line that asks for the same. */
export function section(heading: string, content: Value, attributes?: Markup): Markup {
  return html`<section${attributes && html` ${attributes}`}><h2>${heading}</h2>${content}</section>`;
}

/** A block of text with a button that copies it. */
export function copyable(texts: Texts, text: string): Markup {
  return html`<div class="copyable"><pre>\n${text}</pre><button type="button" data-copy>${texts.copy}</button></div>`;
}
