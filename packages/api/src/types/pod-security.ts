/** PodSecurityAdmissionConfigurationTemplate: which standard pods are held to where a namespace says nothing of its own. */
import { array, string, struct } from '../field.ts';
import { defineType } from '../type.ts';

const defaults = struct('podSecurityAdmissionConfigurationTemplateDefaults', {
  audit: string(),
  'audit-version': string(),
  enforce: string(),
  'enforce-version': string(),
  warn: string(),
  'warn-version': string(),
});

const exemptions = struct('podSecurityAdmissionConfigurationTemplateExemptions', {
  namespaces: array(string()),
  runtimeClasses: array(string()),
  usernames: array(string()),
});

export const podSecurityAdmissionConfigurationTemplate = defineType({
  id: 'podSecurityAdmissionConfigurationTemplate',
  pluralName: 'podSecurityAdmissionConfigurationTemplates',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'PodSecurityAdmissionConfigurationTemplate',
  resource: 'podsecurityadmissionconfigurationtemplates',
  scope: 'cluster',
  namePrefix: 'psact-',
  top: {
    description: string(),
    configuration: struct('podSecurityAdmissionConfigurationTemplateSpec', { defaults, exemptions }),
  },
  v3: {
    collectionMethods: ['GET', 'POST'],
    resourceMethods: ['GET', 'PUT', 'DELETE'],
    nameFrom: 'metadata',
  },
  columns: ['name', 'description'],
});
