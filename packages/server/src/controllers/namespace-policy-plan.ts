/**
 * What a cluster itself asks of whoever changes a namespace, on whichever way he comes: to put it into a project or out of one
 * he needs `manage-namespaces` (or `update`) on that project, to say which pods run in it `updatepsa`. Pure. It is a
 * ValidatingAdmissionPolicy, so that it holds for the authorized endpoint too, and while the server is away.
 */
import type { Resource } from '@drover/base';
import { projectKey } from './cluster-projects.ts';
import { installName, marksOf, policyPart } from './ours.ts';
import { podSecurityLabel } from './pod-security-plan.ts';

export interface AdmissionObject extends Resource {
  readonly spec: Readonly<Record<string, unknown>>;
}

const apiVersion = 'admissionregistration.k8s.io/v1';
const podSecurityKeys = ['enforce', 'enforce-version', 'audit', 'audit-version', 'warn', 'warn-version'];

const quoted = (text: string): string => `'${text}'`;
const fieldOf = (object: string, map: 'labels' | 'annotations', key: string): string =>
  `${object}.metadata.?${map}[${key}].orValue('')`;
const before = (map: 'labels' | 'annotations', key: string): string =>
  `(oldObject == null ? '' : ${fieldOf('oldObject', map, key)})`;
const projects = "authorizer.group('management.cattle.io').resource('projects')";
/** Of a project's id, `cluster:project`; what is no id names a project that nobody has a right on. */
const nameIn = (projectId: string): string => `(${projectId}.contains(':') ? ${projectId}.split(':')[1] : '-')`;

/** A variable each: an expression may ask the authorizer twice at most before it costs too much, and one is worked out only if needed. */
const asked = (name: string, verb: string, projectId?: string) => ({
  name,
  expression: `${projects}${projectId ? `.name(${nameIn(projectId)})` : ''}.check(${quoted(verb)}).allowed()`,
});

export function planNamespacePolicy(installUuid: string): readonly [policy: AdmissionObject, binding: AdmissionObject] {
  const name = installName('drover-namespaces', installUuid);
  const metadata = { name, labels: { ...marksOf(installUuid), ...policyPart } };
  const key = quoted(projectKey);
  const podSecurity = `${quoted(podSecurityLabel)} + k`;
  const spec = {
    failurePolicy: 'Fail',
    matchConstraints: {
      resourceRules: [
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['namespaces'] },
      ],
    },
    variables: [
      { name: 'from', expression: before('annotations', key) },
      { name: 'to', expression: fieldOf('object', 'annotations', key) },
      { name: 'mark', expression: fieldOf('object', 'labels', key) },
      // Whoever may on all projects, such as the controllers and owners of the cluster, is asked for nothing more.
      asked('managesAll', 'manage-namespaces'),
      asked('managesFrom', 'manage-namespaces', 'variables.from'),
      asked('updatesFrom', 'update', 'variables.from'),
      asked('managesTo', 'manage-namespaces', 'variables.to'),
      asked('updatesTo', 'update', 'variables.to'),
      asked('setsPodSecurityInAll', 'updatepsa'),
      asked('setsPodSecurity', 'updatepsa', 'variables.to'),
    ],
    validations: [
      {
        expression:
          "variables.from == variables.to || variables.managesAll || ((variables.from == '' || variables.managesFrom || variables.updatesFrom) && (variables.to == '' || variables.managesTo || variables.updatesTo))",
        message: 'to put a namespace into a project or out of one, the right to manage-namespaces is needed on it',
        reason: 'Forbidden',
      },
      {
        expression: `variables.mark == ${before('labels', key)} || variables.managesAll || variables.mark == (variables.to == '' ? '' : ${nameIn('variables.to')})`,
        message: `the label ${projectKey} must name the project of the annotation ${projectKey}`,
        reason: 'Forbidden',
      },
      {
        expression: `[${podSecurityKeys.map(quoted).join(', ')}].all(k, ${before('labels', podSecurity)} == ${fieldOf('object', 'labels', podSecurity)}) || variables.setsPodSecurityInAll || (variables.to != '' && variables.setsPodSecurity)`,
        message: 'labels of pod security need the right to updatepsa on the project of the namespace',
        reason: 'Forbidden',
      },
    ],
  };
  return [
    { apiVersion, kind: 'ValidatingAdmissionPolicy', metadata, spec },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: name, validationActions: ['Deny'] },
    },
  ];
}
