/**
 * Making kubeconfigs: the text for one cluster, and putting one's entries into a file that has others. Comments and
 * whatever else is in that file stay; an entry that means another cluster is never overwritten.
 */
import { invalid, type Secret } from '@drover/base';
import type { Document } from 'yaml';
import { changeKubeconfig, type KubeconfigPlace, kubeconfigTarget } from './files.ts';
import { type ExecEntry, type Kubeconfig, parseKubeconfig, type UserEntry } from './kubeconfig.ts';

export interface NewKubeconfig {
  /** Names the context, and the cluster and user behind it. */
  readonly name: string;
  readonly server: string;
  /** PEM. */
  readonly ca?: string;
  readonly namespace?: string;
  readonly token?: Secret;
  readonly clientCert?: string;
  readonly clientKey?: Secret;
  readonly exec?: ExecEntry;
}

/** The text of a kubeconfig for one cluster, its context being the current one. */
export async function formatKubeconfig(config: NewKubeconfig): Promise<string> {
  const { name, server, ca, namespace, token, clientCert, clientKey, exec } = config;
  const { stringify } = await import('yaml');
  const user: UserEntry = {
    ...(token ? { token: token.reveal() } : {}),
    ...(clientCert ? { 'client-certificate-data': base64(clientCert) } : {}),
    ...(clientKey ? { 'client-key-data': base64(clientKey.reveal()) } : {}),
    ...(exec ? { exec } : {}),
  };
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster: { server, ...(ca ? { 'certificate-authority-data': base64(ca) } : {}) } }],
      users: [{ name, user }],
      contexts: [{ name, context: { cluster: name, user: name, ...(namespace ? { namespace } : {}) } }],
      'current-context': name,
    },
    { lineWidth: 0 },
  );
}

export interface MergeOptions extends KubeconfigPlace {
  /** Makes the new context the current one; default true. */
  readonly use?: boolean;
}

/**
 * Puts the entries of a kubeconfig text into the user's file, replacing entries of the same name and server. Where a
 * name is taken for another server, its entries get a number behind theirs. Gives the file and its new current context.
 */
export async function mergeIntoKubeconfig(
  text: string,
  options: MergeOptions = {},
): Promise<{ readonly path: string; readonly context: string }> {
  const added = await parseKubeconfig(text);
  const context = added.currentContext ?? added.contexts[0]?.name;
  if (context === undefined) throw invalid('contexts', 'the kubeconfig to add must have a context');
  const path = kubeconfigTarget(options);
  let renamed = context;
  await changeKubeconfig(path, async old => {
    const had = await parseKubeconfig(old ?? '', path);
    const names = new Map<string, string>();
    for (const { name, value } of added.contexts) {
      const server = added.clusters.find(cluster => cluster.name === value.cluster)?.value.server;
      names.set(
        name,
        freeName(name, candidate => isFreeOrOurs(had, candidate, server)),
      );
    }
    renamed = names.get(context) ?? context;
    const { parseDocument, isMap } = await import('yaml');
    const document: Document = parseDocument(old ?? '');
    if (!isMap(document.contents)) {
      document.contents = document.createNode({ apiVersion: 'v1', kind: 'Config' });
    }
    for (const { name, value } of added.contexts) {
      const target = names.get(name)!;
      const cluster = added.clusters.find(one => one.name === value.cluster);
      const user = added.users.find(one => one.name === value.user);
      if (cluster) put(document, 'clusters', { name: target, cluster: cluster.value });
      if (user) put(document, 'users', { name: target, user: user.value });
      put(document, 'contexts', { name: target, context: { ...value, cluster: target, user: target } });
    }
    if (options.use ?? true) document.set('current-context', renamed);
    return document.toString({ lineWidth: 0 });
  });
  return { path, context: renamed };
}

/** True when nothing has this name, or what has it is all about this server and used by the context of this name alone. */
function isFreeOrOurs(had: Kubeconfig, name: string, server: string | undefined): boolean {
  const isNamed = (one: { readonly name: string }) => one.name === name;
  const cluster = had.clusters.find(isNamed);
  if (!cluster) return !had.users.some(isNamed) && !had.contexts.some(isNamed);
  const users = had.contexts.filter(({ value }) => value.cluster === name || value.user === name);
  const context = had.contexts.find(isNamed);
  const whole = !context || (context.value.cluster === name && context.value.user === name);
  return cluster.value.server === server && whole && users.every(isNamed);
}

function freeName(name: string, isFree: (candidate: string) => boolean): string {
  if (isFree(name)) return name;
  for (let n = 2; ; n++) if (isFree(`${name}-${n}`)) return `${name}-${n}`;
}

/** Sets the entry of that name in a list of the document, at its old place or at the end. */
function put(
  document: Document,
  list: string,
  entry: { readonly name: string; readonly [key: string]: unknown },
): void {
  const had = (document.toJS() as Record<string, { name?: string }[] | null>)[list];
  const index = had?.findIndex(one => one.name === entry.name) ?? -1;
  if (index >= 0) document.setIn([list, index], document.createNode(entry));
  else if (had) document.addIn([list], document.createNode(entry));
  else document.set(list, document.createNode([entry]));
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
