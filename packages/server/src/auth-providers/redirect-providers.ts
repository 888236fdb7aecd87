/** The providers that people are sent to: OpenID Connect, SAML and GitHub, each under its names. */

import type { ProviderConfig, RedirectProvider } from './configured-provider.ts';
import { githubApp, ofInstallation, refreshGithubApp, verifyGithubApp } from './github-app.ts';
import { beginGithub, finishGithub, refreshGithub, searchGithub } from './github-flow.ts';
import { githubSettings } from './github-settings.ts';
import { OidcClients } from './oidc-client.ts';
import { beginOidc, finishOidc, type OidcPending, oidcLogoutUrl, refreshOidc } from './oidc-flow.ts';
import { oidcProviders, oidcSettings } from './oidc-settings.ts';
import { requireSignedAnnotation, samlProviders, samlSettings } from './saml-settings.ts';
import { newState } from './sealed-cookie.ts';

type Names = Pick<RedirectProvider, 'name' | 'configType' | 'providerType'>;
type Spoken = Omit<RedirectProvider, 'kind' | 'tryOut'>;

/** As far as a provider answers without anybody to sign in, it is asked by beginning to. */
const redirectProvider = (spoken: Spoken): RedirectProvider => ({
  ...spoken,
  kind: 'redirect',
  async tryOut(config) {
    await spoken.begin(config, { baseUrl: 'https://localhost', state: newState() });
  },
});

const clients = new OidcClients();

function oidc(names: Names): Spoken {
  const callback = names.name === 'azuread' ? 'verify-auth-azure' : 'verify-auth';
  return {
    ...names,
    crossSite: false,
    check: config => void oidcSettings(names.name, config.fields),
    async begin({ fields }, { baseUrl, state }) {
      const redirectUri = `${baseUrl}/${callback}`;
      const { url, pending } = await beginOidc(clients, oidcSettings(names.name, fields), { redirectUri, state });
      return { url, data: { ...pending } };
    },
    finish: ({ fields }, { query, data }) =>
      finishOidc(clients, oidcSettings(names.name, fields), { query, pending: data as unknown as OidcPending }),
    refresh: ({ fields }, { keep }) => refreshOidc(clients, oidcSettings(names.name, fields), keep),
    logout: ({ fields }, keep, way) =>
      oidcLogoutUrl(clients, oidcSettings(names.name, fields), { ...way, idToken: keep['idToken'] }),
  };
}

/** As configured, with what an annotation demands beyond. */
export function samlOfConfig({ name, fields, annotations }: ProviderConfig): ReturnType<typeof samlSettings> {
  return samlSettings(name, fields, annotations[requireSignedAnnotation]);
}

/** With the first that signs in so: XML and its signatures take memory that most servers have no need of. */
const samlFlow = () => import('./saml-flow.ts');

function saml(names: Names): Spoken {
  return {
    ...names,
    crossSite: true,
    check: config => void samlOfConfig(config),
    async begin(config, { state }) {
      const { beginSaml } = await samlFlow();
      const { url, requestId } = await beginSaml(samlOfConfig(config), state);
      return { url, data: { requestId } };
    },
    async finish(config, { query, data, seenOnce, now }) {
      const { finishSaml } = await samlFlow();
      const response = query.get('SAMLResponse') ?? '';
      return finishSaml(samlOfConfig(config), { response, requestId: data['requestId'] ?? '', seenOnce, now });
    },
    async logout(config, keep, { state }) {
      const { samlLogoutUrl } = await samlFlow();
      return (await samlLogoutUrl(samlOfConfig(config), keep, state))?.url;
    },
  };
}

function github(names: Names): Spoken {
  const { name } = names;
  return {
    ...names,
    crossSite: false,
    check: config => void githubSettings(name, config.fields),
    async begin({ fields }, { baseUrl, state }) {
      const settings = githubSettings(name, fields, new URL(baseUrl).hostname);
      const { url, pending } = beginGithub(settings, { redirectUri: `${baseUrl}/verify-auth`, state });
      return { url, data: { ...pending } };
    },
    finish({ fields }, { query, data }) {
      const { verifier = '', redirectUri = '' } = data;
      const settings = githubSettings(name, fields, new URL(redirectUri).hostname);
      return finishGithub(settings, { query, pending: { verifier, redirectUri } });
    },
    refresh: ({ fields }, { keep }) => refreshGithub(githubSettings(name, fields), keep),
    search: ({ fields }, keep, search) => searchGithub(githubSettings(name, fields), keep, search),
  };
}

const oauthApp = github({ name: 'github', configType: 'githubConfig', providerType: 'githubProvider' });

/** The same way, with an app that proves itself, and tokens that end. */
function githubAppProvider(): RedirectProvider {
  const spoken = github({ name: 'githubapp', configType: 'githubAppConfig', providerType: 'githubAppProvider' });
  const settingsOf = ({ fields }: ProviderConfig) => githubSettings('githubapp', fields);
  return {
    ...redirectProvider(spoken),
    check(config) {
      spoken.check(config);
      githubApp(config.fields);
    },
    tryOut: config => verifyGithubApp(settingsOf(config), githubApp(config.fields)),
    finish: async (config, cameBack) =>
      ofInstallation(settingsOf(config), githubApp(config.fields), await spoken.finish(config, cameBack)),
    refresh: (config, { keep }) => refreshGithubApp(settingsOf(config), githubApp(config.fields), keep),
  };
}

export const redirectProviders: readonly RedirectProvider[] = [
  ...[...oidcProviders.map(oidc), ...samlProviders.map(saml), oauthApp].map(redirectProvider),
  githubAppProvider(),
];

export function findRedirectProvider(name: string): RedirectProvider | undefined {
  return redirectProviders.find(provider => provider.name === name);
}
