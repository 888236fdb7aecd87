/**
 * Applies a manifest to a cluster by server-side apply, what others stand on first, and deletes one the other way
 * round. Nothing is pruned. Each step is told as it is taken; both may be run again after a failure.
 */
import { isDeepStrictEqual } from 'node:util';
import { ignoreNotFound, isNotFound, keyOf, type Resource, StatusError, until } from '@drover/base';
import type { KubeClient } from './client.ts';
import { applyOrder } from './manifest.ts';
import { customResourceDefinitions, type ResourceRef } from './resource-ref.ts';
import { waitForCondition, waitForObject } from './wait.ts';

export interface ManifestStep {
  readonly resource: Resource;
  readonly what: 'created' | 'configured' | 'unchanged' | 'established' | 'deleted' | 'absent' | 'gone';
  /** This is number `done` of `total` resources. */
  readonly done: number;
  readonly total: number;
}

export interface ManifestOptions {
  /** For namespaced resources that name none; default `default`. */
  readonly namespace?: string;
  readonly onStep?: (step: ManifestStep) => void;
  readonly signal?: AbortSignal;
  /** For each thing that is waited for; 60 s unless told. */
  readonly timeoutMs?: number;
}

/** Applies all resources; fields that others own are taken over. A failure names the resource and leaves what is done. */
export async function applyManifest(
  client: KubeClient,
  resources: readonly Resource[],
  options: ManifestOptions & { readonly fieldManager: string },
): Promise<Resource[]> {
  const { fieldManager, signal, onStep } = options;
  const ordered = applyOrder(resources);
  const applied: Resource[] = [];
  for (const [index, given] of ordered.entries()) {
    const step = { resource: given, done: index + 1, total: ordered.length };
    await naming(given, async () => {
      const { resource, ref } = await place(client, given, options);
      const { name, namespace } = resource.metadata;
      const before = await ignoreNotFound(client.get(ref, name, { namespace, signal }));
      const now = await client.patch(ref, name, resource, {
        type: 'apply',
        namespace,
        fieldManager,
        force: true,
        signal,
      });
      applied.push(now);
      onStep?.({
        ...step,
        resource: now,
        what: !before ? 'created' : isSame(before, now) ? 'unchanged' : 'configured',
      });
      if (isDefinition(resource)) {
        await waitForCondition(client, { ref, name, condition: 'Established' }, options);
        await whenServed(client, now, options);
        onStep?.({ ...step, resource: now, what: 'established' });
      }
    });
  }
  return applied;
}

/** Deletes all resources; ones that are not there, or whose kind is not, count as deleted. With `wait` until all are gone. */
export async function deleteManifest(
  client: KubeClient,
  resources: readonly Resource[],
  options: ManifestOptions & { readonly wait?: boolean } = {},
): Promise<void> {
  const { signal, onStep, wait } = options;
  const ordered = applyOrder(resources).reverse();
  const going: { resource: Resource; ref: ResourceRef }[] = [];
  for (const [index, given] of ordered.entries()) {
    const step = { resource: given, done: index + 1, total: ordered.length };
    await naming(given, async () => {
      const placed = await ignoreNotFound(place(client, given, options));
      const deleted = placed && (await deleteOne(client, placed, signal));
      if (deleted) going.push(placed);
      onStep?.({ ...step, resource: placed?.resource ?? given, what: deleted ? 'deleted' : 'absent' });
    });
  }
  if (!wait) return;
  for (const [index, { resource, ref }] of going.entries()) {
    const { name, namespace } = resource.metadata;
    const target = { ref, name, what: `${describe(resource)} to be gone` };
    const wanted = (object: Resource | undefined) => object === undefined;
    // A collection that goes with its definition has nothing left in it.
    await ignoreNotFound(waitForObject(client, target, { ...options, namespace, wanted }));
    onStep?.({ resource, what: 'gone', done: index + 1, total: going.length });
  }
}

async function deleteOne(
  client: KubeClient,
  { resource, ref }: { resource: Resource; ref: ResourceRef },
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { name, namespace } = resource.metadata;
  try {
    await client.delete(ref, name, { namespace, propagationPolicy: 'Background', signal });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** The resource's collection, and the resource with the namespace it goes to. */
async function place(client: KubeClient, resource: Resource, options: ManifestOptions) {
  const ref = await client.find(resource.kind, resource.apiVersion, options);
  const { namespace, ...metadata } = resource.metadata;
  const home = ref.namespaced ? { namespace: namespace ?? options.namespace ?? 'default' } : {};
  return { ref, resource: { ...resource, metadata: { ...metadata, ...home } } };
}

/** Equal but for the bookkeeping: the server may note anew who owns what where nothing else changed. */
function isSame(before: Resource, now: Resource): boolean {
  const bare = (one: Resource) => {
    return { ...one, metadata: { ...one.metadata, managedFields: undefined, resourceVersion: undefined } };
  };
  return isDeepStrictEqual(bare(before), bare(now));
}

function isDefinition({ kind, apiVersion }: Resource): boolean {
  return kind === customResourceDefinitions.kind && apiVersion === customResourceDefinitions.apiVersion;
}

interface Definition extends Resource {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
}

/** A definition is established a moment before discovery tells of it. */
async function whenServed(client: KubeClient, resource: Resource, options: ManifestOptions): Promise<void> {
  const { group, names, versions } = (resource as Definition).spec;
  const { timeoutMs = 60_000, signal } = options;
  for (const { name } of versions.filter(({ served }) => served)) {
    const served = () => {
      client.discovery().forget();
      return client.find(names.kind, `${group}/${name}`, { signal });
    };
    await until(`${names.kind} of ${group}/${name} to be served`, served, { timeoutMs, everyMs: 100, signal });
  }
}

function describe({ kind, metadata }: Resource): string {
  return `${kind} ${keyOf(metadata)}`;
}

/** The same error with the resource in front. */
async function naming(resource: Resource, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    const { status, reason, message, details } = error;
    throw new StatusError(status, reason, `${describe(resource)}: ${message}`, { details, cause: error });
  }
}
