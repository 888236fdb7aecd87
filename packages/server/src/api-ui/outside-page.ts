/** The pages for those who get nothing: to sign in, and to read what went wrong. */
import type { NormanError } from '../http/errors.ts';
import { html, type Markup } from './html.ts';
import type { Texts } from './texts.ts';

export function signInPage(texts: Texts, { message }: { readonly message?: string } = {}): Markup {
  return html`<form id="sign-in" class="card" data-target="/v3-public/localProviders/local?action=login">
<h1>${texts.signIn}</h1>
<p class="dim">${texts.signInLead}</p>
${message && html`<p class="error">${message}</p>`}
<div class="field"><label for="username">${texts.username}</label><input id="username" name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus></div>
<div class="field"><label for="password">${texts.password}</label><input id="password" name="password" type="password" autocomplete="current-password" required></div>
<p class="error" data-part="error" role="alert" hidden></p>
<button type="submit" class="primary">${texts.signIn}</button>
</form>`;
}

export function errorPage(texts: Texts, { status, code, message, fieldName }: NormanError): Markup {
  return html`<div class="card">
<h1>${status}${code && html` ${code}`}</h1>
<p>${fieldName && html`<b>${fieldName}</b>: `}${message}</p>
<p><a href="/v3">${texts.goHome}</a></p>
</div>`;
}
