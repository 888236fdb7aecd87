/**
 * Asks a cluster whether it has taken in that a right is gone: an API server hears of changes of its own roles a moment after they are
 * written, and until then it still grants.
 */

import { sleep } from '@drover/base';
import { type KubeClient, resourcePath, subjectAccessReviews } from '@drover/kube';
import { templatesOf } from '../auth/grants.ts';
import { kubeRules } from '../auth/inside-rules.ts';
import type { OpenNote } from '../auth/removals.ts';
import { findByPrincipal } from '../auth-providers/lasting-ids.ts';
import type { Caches } from '../resources/index.ts';

/** A cluster that goes on granting grants by something else, such as a binding that somebody made there. */
const longestMs = 3000;
/** So many are asked about; what one kind of object has brought about, the rest of that kind has too. */
const most = 5;

export interface RemovalCheck {
  readonly caches: Caches;
  readonly notes: readonly OpenNote[];
  readonly signal: AbortSignal;
  /** A namespace of the project, where there is one. */
  readonly namespaceOf?: (projectId: string) => string | undefined;
}

/** Resolves when the cluster grants no more of what the notes took away, or does so for another reason. */
export async function whenGone(client: KubeClient, check: RemovalCheck): Promise<void> {
  const questions = check.notes.flatMap(({ note }) => questionOf(check, note) ?? []).slice(0, most);
  const deadline = performance.now() + longestMs;
  for (const spec of questions) {
    for (let waitMs = 5; performance.now() < deadline; waitMs = Math.min(waitMs * 2, 200)) {
      if (!(await grants(client, spec, check.signal))) break;
      await sleep(waitMs, check.signal);
    }
  }
}

async function grants(client: KubeClient, spec: object, signal: AbortSignal): Promise<boolean> {
  const { apiVersion, kind } = subjectAccessReviews;
  const { status } = await client.request<{ status: { allowed?: boolean } }>(
    'POST',
    resourcePath(subjectAccessReviews),
    { body: { apiVersion, kind, spec }, signal },
  );
  return status.allowed === true;
}

/** One right that was had by it, as the cluster is asked about it. */
function questionOf({ caches, namespaceOf }: RemovalCheck, note: OpenNote['note']): object | undefined {
  const [kind, name = ''] = split(note.subjects?.[0]);
  const user = kind === 'user' ? name : kind === 'principal' ? findByPrincipal(caches, name)?.metadata.name : 'nobody';
  const namespace = note.projectId === undefined ? undefined : namespaceOf?.(note.projectId);
  if (!user || kind === '' || (note.projectId !== undefined && namespace === undefined)) return undefined;
  const rules = note.had.flatMap(each => templatesOf(caches, each).flatMap(({ rules: own }) => kubeRules(own)));
  const rule = rules.find(({ resources, resourceNames }) => resources && !resourceNames);
  if (!rule) return undefined;
  const [resource, subresource] = rule.resources![0]!.split('/');
  const resourceAttributes = { namespace, verb: rule.verbs![0], group: rule.apiGroups![0], resource, subresource };
  return { user, groups: kind === 'group' ? [name] : [], resourceAttributes };
}

function split(key = ''): [kind: string, name?: string] {
  const space = key.indexOf(' ');
  return space < 0 ? [''] : [key.slice(0, space), key.slice(space + 1)];
}
