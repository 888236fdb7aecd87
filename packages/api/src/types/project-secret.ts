/** ProjectSecret: a Secret for all namespaces of a project. Kept encrypted, in the project's own namespace of the server. */
import { map, string } from '../field.ts';
import { defineType } from '../type.ts';

export const projectSecret = defineType({
  id: 'projectSecret',
  pluralName: 'projectSecrets',
  group: 'project.drover.io',
  version: 'v1',
  kind: 'ProjectSecret',
  resource: 'projectsecrets',
  scope: 'namespaced',
  namePrefix: 'secret-',
  top: {
    /** `<cluster>:<project>`. */
    projectName: string(),
    type: string(),
    /** As Kubernetes has it: base64, by key. */
    data: map(string(), { secret: true }),
  },
  v3: { collectionMethods: [], resourceMethods: [] },
});
