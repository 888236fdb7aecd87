/**
 * What a client says of a cluster on hosts, when it makes or changes one: read by the engine as it will be read later, its secrets
 * taken out. Nothing is stored that could not be built.
 */
import type { Cluster, V3Data } from '@drover/api';
import { invalid } from '@drover/base';
import { joinSecrets, splitSecrets } from './config-secrets.ts';
import { readEngineConfig, standIn } from './engine-config.ts';

const field = 'rancherKubernetesEngineConfig';

type Json = Readonly<Record<string, unknown>>;

/** The input as it is stored. Throws Invalid naming every option that is wrong. */
export async function prepareEngineInput(input: V3Data, before?: Cluster): Promise<V3Data> {
  const given = input[field] as Json | null | undefined;
  const old = before?.spec;
  if (given === undefined) return input;
  if (given === null) {
    if (old?.rancherKubernetesEngineConfig)
      throw invalid(field, 'can’t be taken away: delete the cluster instead', 'InvalidFormat');
    return input;
  }
  if (before && !old?.rancherKubernetesEngineConfig)
    throw invalid(field, 'can’t be given to a cluster that was imported', 'InvalidFormat');
  const { config, secrets } = splitSecrets(given, old?.engineSecrets);
  const name = String(input['name'] ?? old?.displayName ?? '');
  const whole = joinSecrets({ config, secrets });
  const { problems } = await readEngineConfig(whole, { name, hosts: standIn(whole) });
  const [first] = problems;
  if (first) {
    const all = problems.map(problem => `${problem.field}: ${problem.message}`).join('\n');
    throw invalid(`${field}.${first.field}`, problems.length === 1 ? first.message : `\n${all}`, 'InvalidFormat');
  }
  // People reach the cluster's own API with their tokens, unless somebody says otherwise.
  const endpoint = before ? {} : { localClusterAuthEndpoint: input['localClusterAuthEndpoint'] ?? { enabled: true } };
  return { ...input, ...endpoint, [field]: config, engineSecrets: secrets };
}
