/**
 * A GitHub App to sign in with: people come as with an OAuth application, by tokens that end after some hours. The app proves itself
 * by its key, which is tried before it is switched on, and tells which organisation it is installed in: groups of that one alone
 * count where the configuration names an installation. What teams somebody is in, his own token says, never the app's.
 */
import { createPrivateKey } from 'node:crypto';
import { invalid, isNotFound, Secret, StatusError } from '@drover/base';
import { SignJWT } from 'jose';
import { type ConfigFields, required, text } from './config-fields.ts';
import { GithubApi, renewToken } from './github-api.ts';
import { keepOf, refreshGithub } from './github-flow.ts';
import type { GithubSettings } from './github-settings.ts';
import type { Identity } from './identity.ts';

export interface GithubApp {
  readonly appId: string;
  readonly privateKey: Secret;
  readonly installationId?: string;
}

/** Throws Invalid naming the field that is missing or wrong. */
export function githubApp(fields: ConfigFields): GithubApp {
  const appId = required(fields, 'appId');
  if (!/^\d{1,15}$/.test(appId)) throw invalid('appId', 'must be the number of the app', 'InvalidFormat');
  const installationId = text(fields, 'installationId');
  if (installationId !== undefined && !/^\d{1,15}$/.test(installationId))
    throw invalid('installationId', 'must be the number of an installation, or empty for all', 'InvalidFormat');
  const privateKey = required(fields, 'privateKey');
  try {
    if (createPrivateKey(privateKey).asymmetricKeyType !== 'rsa') throw new Error('not RSA');
  } catch {
    throw invalid('privateKey', 'must be the RSA key in PEM that the app was given', 'InvalidFormat');
  }
  return { appId, privateKey: new Secret(privateKey), ...(installationId ? { installationId } : {}) };
}

async function asApp(settings: GithubSettings, { appId, privateKey }: GithubApp): Promise<GithubApi> {
  const now = Math.floor(Date.now() / 1000);
  // Clocks differ, and GitHub takes none that is good for longer than ten minutes.
  const jwt = new SignJWT({})
    .setProtectedHeader({ alg: 'RS256' })
    .setIssuer(appId)
    .setIssuedAt(now - 60);
  const signed = await jwt.setExpirationTime(now + 300).sign(createPrivateKey(privateKey.reveal()));
  return new GithubApi(settings, new Secret(signed), 'Bearer');
}

/** Throws Invalid where key, number, client or installation do not belong together. */
export async function verifyGithubApp(settings: GithubSettings, app: GithubApp): Promise<void> {
  const api = await asApp(settings, app);
  const seen = await api.app().catch(error => {
    const isRefused = isNotFound(error) || (error instanceof StatusError && error.status === 401);
    throw isRefused ? invalid('privateKey', 'is not the key of the app with this appId', 'InvalidFormat') : error;
  });
  if (String(seen.id) !== app.appId)
    throw invalid('appId', 'is not the number of the app that has this key', 'InvalidFormat');
  if (seen.client_id !== undefined && seen.client_id !== settings.clientId)
    throw invalid('clientId', 'is not the client of the app that has this key', 'InvalidFormat');
  if (app.installationId === undefined) return;
  await api.installation(app.installationId).catch(error => {
    throw isNotFound(error) ? invalid('installationId', 'is no installation of this app', 'InvalidFormat') : error;
  });
}

/** Who the token is now, renewed where it has ended, with the groups of the installation alone where one is named. */
export async function refreshGithubApp(
  settings: GithubSettings,
  app: GithubApp,
  keep: NonNullable<Identity['keep']>,
): Promise<Identity> {
  const isOver = keep['endsAt'] !== undefined && Number(keep['endsAt']) < Date.now() + 60_000;
  const current = isOver && keep['refreshToken'] ? keepOf(await renewToken(settings, keep['refreshToken'])) : keep;
  return ofInstallation(settings, app, await refreshGithub(settings, current));
}

/** Leaves out groups of organisations that the named installation is not of. */
export async function ofInstallation(settings: GithubSettings, app: GithubApp, identity: Identity): Promise<Identity> {
  if (app.installationId === undefined) return identity;
  const { account } = await (await asApp(settings, app)).installation(app.installationId);
  const groups = identity.groups.filter(({ organisation }) => organisation === String(account.id));
  return { ...identity, groups };
}
