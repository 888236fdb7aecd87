/** A resource as kubectl gets it: the declared fields that may be shown, and metadata as it is. */
import { keyOf } from '@drover/base';
import type { ApiView } from '../api/behaviour.ts';
import { isVisible } from '../api/crud.ts';
import type { AnyResource, KubeType } from './kube-type.ts';
import { type Json, visibleOf } from './shape.ts';

export type Shown = Json & { readonly metadata: Json };

export function showObject(view: ApiView, { id, declaration }: KubeType, resource: AnyResource): Shown {
  const { settings } = view.deps;
  const { apiVersion, kind, metadata, spec, status } = resource;
  const { value, source, ...setting } =
    id === 'setting' && settings.has(metadata.name) ? settings.show(metadata.name) : ({} as Partial<Json>);
  return {
    apiVersion,
    kind,
    metadata: metadata as unknown as Json,
    ...visibleOf(resource, declaration.top),
    ...(spec === undefined || !declaration.spec ? {} : { spec: visibleOf(spec, declaration.spec) }),
    ...(status === undefined || !declaration.status || declaration.v3.status === 'hidden'
      ? {}
      : { status: visibleOf(status, declaration.status) }),
    ...(source === undefined ? {} : { value, source, default: setting['default'], customized: source !== 'default' }),
  };
}

/** Whether the caller may see it: v3's own rule, asked anew for every object that is sent. */
export function maySee(view: ApiView, type: KubeType, resource: AnyResource): boolean {
  if (type.id === 'setting' && view.deps.settings.isPublic(resource.metadata.name)) return true;
  return isVisible(view, type.served, resource);
}

/** A setting that has its default is not stored, and yet is there. */
export function bareSettings(view: ApiView): AnyResource[] {
  const { settings, caches } = view.deps;
  const missing = settings.all().filter(({ name }) => !caches.setting.get(name));
  return missing.map(({ name }) => bareSetting(name));
}

export function bareSetting(name: string): AnyResource {
  return {
    apiVersion: 'management.cattle.io/v3',
    kind: 'Setting',
    metadata: { name, resourceVersion: '0', creationTimestamp: null },
  } as unknown as AnyResource;
}

/** The stored resource as it is now, as far as the caller may see it. */
export async function findVisible(
  view: ApiView,
  type: KubeType,
  place: { readonly name: string; readonly namespace?: string },
): Promise<AnyResource | undefined> {
  const { resources, settings } = view.deps;
  if (keyOf(place).length > 512) return undefined;
  const stored = (await resources.find(type.id, place.name, place.namespace)) as AnyResource | undefined;
  const found = stored ?? (type.id === 'setting' && settings.has(place.name) ? bareSetting(place.name) : undefined);
  return found && maySee(view, type, found) ? found : undefined;
}
