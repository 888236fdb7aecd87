/** Templates of pod security in v3: what they say must be what clusters know, and none that a cluster uses goes. */
import type { PodSecurityTemplate, V3Data } from '@drover/api';
import { conflict, forbidden, invalid, isDnsLabel } from '@drover/base';
import { builtinTemplates } from '../pod-security-templates.ts';
import { type ApiRequest, behaviour } from './behaviour.ts';

const levels = ['privileged', 'baseline', 'restricted'];
const maxExempt = 1000;

/** Throws Invalid naming the field and what would be right. */
function checkConfiguration(input: V3Data): V3Data {
  const { defaults = {}, exemptions = {} } = (input['configuration'] ?? {}) as Record<string, Record<string, unknown>>;
  for (const [name, value] of Object.entries(defaults ?? {})) {
    if (value === undefined || value === null || value === '') continue;
    const field = `configuration.defaults.${name}`;
    if (name.endsWith('-version')) {
      if (!/^(latest|v1\.\d{1,3})$/.test(String(value)))
        throw invalid(field, 'must be latest or a version such as v1.36', 'InvalidFormat');
    } else if (!levels.includes(String(value)))
      throw invalid(field, `must be one of ${levels.join(', ')}`, 'InvalidOption');
  }
  for (const [name, value] of Object.entries(exemptions ?? {})) {
    const all = (value ?? []) as unknown[];
    const field = `configuration.exemptions.${name}`;
    if (all.length > maxExempt) throw invalid(field, `must be at most ${maxExempt}`, 'MaxLimitExceeded');
    const bad = all.find(one => typeof one !== 'string' || one === '' || (name === 'namespaces' && !isDnsLabel(one)));
    if (bad !== undefined) throw invalid(field, `"${String(bad)}" is no such name`, 'InvalidFormat');
    if (new Set(all).size < all.length) throw invalid(field, 'must name each once', 'NotUnique');
  }
  return input;
}

export const podSecurityTemplates = behaviour<PodSecurityTemplate>({
  prepareCreate: (_, input) => checkConfiguration(input),
  prepareUpdate: (_, input) => checkConfiguration(input),
  objections: {
    delete: (_, { metadata }) =>
      metadata.name in builtinTemplates ? () => forbidden('a built-in template can’t be deleted') : undefined,
  },
  async remove({ deps }, { metadata: { name } }) {
    for (const { metadata, spec } of deps.caches.cluster.all()) {
      if (spec?.defaultPodSecurityAdmissionConfigurationTemplateName === name)
        throw conflict('podSecurityAdmissionConfigurationTemplate', name, `cluster "${metadata.name}" uses it`);
    }
    await deps.resources.delete('podSecurityAdmissionConfigurationTemplate', { name });
  },
});

/** Throws where a cluster is to use a template that is not there. */
export function requireTemplate({ deps }: ApiRequest, input: V3Data): void {
  const name = input['defaultPodSecurityAdmissionConfigurationTemplateName'];
  if (typeof name !== 'string' || name === '') return;
  if (!deps.caches.podSecurityAdmissionConfigurationTemplate.get(name))
    throw invalid(
      'defaultPodSecurityAdmissionConfigurationTemplateName',
      `there is no template "${name}"`,
      'InvalidReference',
    );
}
