/** `/v3/openapi.json`: the document for whoever asks, of the whole API and of what is below clusters and projects. */
import type { ApiRequest } from '../api/behaviour.ts';
import { servedTypes } from '../api/registry.ts';
import { schemasFor } from '../api/v3-schema.ts';
import { localProvider } from '../auth/local-provider.ts';
import { directoryProviders } from '../directories/index.ts';
import { type OpenApiDocument, openApiDocument, type SchemaSet } from './document.ts';

/** Below `/v3`. */
export const openApiName = 'openapi.json';

export function openApiFor(request: ApiRequest): OpenApiDocument {
  const whole = { ...request, context: undefined, versionPath: '/v3' };
  const below = (['cluster', 'project'] as const).map((context): SchemaSet => {
    const path = `/v3/${context}/{${context}Id}`;
    const view = { ...request, context: { type: context, id: `{${context}Id}` }, versionPath: path };
    return { path, context, schemas: schemasFor(view), linksOf: id => linksOf(id, context) };
  });
  return openApiDocument([{ path: '/v3', schemas: schemasFor(whole), linksOf }, ...below], {
    server: request.base,
    version: request.deps.settings.get('server-version').replace(/^v/, ''),
    providers: Object.fromEntries([
      [localProvider.name, localProvider.type],
      ...directoryProviders.map(({ name, providerType }) => [name, providerType]),
    ]),
  });
}

function linksOf(id: string, at?: 'cluster' | 'project'): string[] {
  const served = servedTypes.find(({ declaration, context }) => declaration.id === id && context === at);
  return Object.keys(served?.behaviour.followLinks ?? {});
}
