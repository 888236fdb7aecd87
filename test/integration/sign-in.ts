/** For tests: what people and admins do with a server's sign-in from a browser, where nothing is clicked. */
import assert from 'node:assert/strict';
import { adminPassword, type ServerProcess } from '../server-process.ts';
import { Jar, type JarAnswer } from './jar.ts';

/** A browser in which the admin is signed in. */
export async function adminBrowser(server: ServerProcess, cas: readonly string[]): Promise<Jar> {
  const jar = new Jar([server.ca, ...cas]);
  const body = { username: 'admin', password: adminPassword, responseType: 'cookie' };
  const answer = await jar.ask(`${server.url}/v3-public/localProviders/local?action=login`, {
    method: 'POST',
    json: body,
  });
  assert.equal(answer.status, 200, answer.text);
  await jar.ask(`${server.url}/v3`);
  return jar;
}

/** What a page of the server asks of the API; throws for another status. */
export async function asPage(
  jar: Jar,
  server: ServerProcess,
  ask: { method?: 'GET' | 'POST' | 'PUT'; path: string; body?: unknown; status?: number },
  // biome-ignore lint/suspicious/noExplicitAny: tests read the wire as it is and assert on it.
): Promise<any> {
  const { method = 'GET', path, body, status = 200 } = ask;
  const answer = await jar.ask(`${server.url}${path}`, {
    method: method as 'GET',
    json: body,
    headers: { accept: 'application/json', 'x-api-csrf': jar.cookie(server.url, 'CSRF') ?? '' },
  });
  assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
  return answer.text ? JSON.parse(answer.text) : undefined;
}

/** Configures a provider and tests it as an admin does: away, back with what the page shows, and on. */
export async function enable(
  jar: Jar,
  server: ServerProcess,
  given: { name: string; plural: string; input: string; config: Record<string, unknown> },
): Promise<void> {
  const action = (name: string) => `/v3/${given.plural}/${given.name}?action=${name}`;
  const test = await asPage(jar, server, { method: 'POST', path: action('configureTest'), body: given.config });
  const page = await jar.follow(test.redirectUrl);
  assert.equal(page.status, 200, page.text);
  const code = /<code id="code">([^<]+)<\/code>/.exec(page.text)?.[1];
  const body = { [given.input]: given.config, code, enabled: true };
  await asPage(jar, server, { method: 'POST', path: action('testAndApply'), body });
}

/** Signs in with the provider from a browser of its own, and says where that led. */
export async function signInElsewhere(
  server: ServerProcess,
  cas: readonly string[],
  name: string,
  returnTo = '/v3/users?me=true',
): Promise<{ jar: Jar; end: JarAnswer }> {
  const jar = new Jar([server.ca, ...cas]);
  const end = await jar.follow(`${server.url}/v1-auth/${name}?returnTo=${encodeURIComponent(returnTo)}`);
  return { jar, end };
}

/** Who is signed in, as the server says. */
export async function whoIs(jar: Jar, server: ServerProcess) {
  const { data } = await asPage(jar, server, { path: '/v3/users?me=true' });
  return data[0] as { id: string; name: string; principalIds: string[] };
}
