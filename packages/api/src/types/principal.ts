/** Principal: a user or group as a sign-in provider knows it. Nothing is stored: it is asked for when it is looked at. */
import { oneOf, string } from '../field.ts';
import { defineType } from '../type.ts';
import { containerLimit, namespaceQuota } from './quota.ts';
import { falseByDefault } from './shared.ts';

export const principal = defineType({
  id: 'principal',
  pluralName: 'principals',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'Principal',
  resource: 'principals',
  scope: 'cluster',
  namePrefix: 'principal-',
  top: {
    name: string(),
    loginName: string(),
    provider: string(),
    principalType: string(),
    profilePicture: string(),
    profileURL: string(),
    me: falseByDefault(),
    memberOf: falseByDefault(),
  },
  v3: {
    collectionMethods: ['GET'],
    resourceMethods: ['GET'],
    collectionActions: { search: { input: 'searchPrincipalsInput', output: 'collection' } },
  },
});

/** Namespace: a cluster's own, seen through the server under `/v3/cluster/<id>`. */
export const namespace = defineType({
  id: 'namespace',
  pluralName: 'namespaces',
  group: '',
  version: 'v1',
  kind: 'Namespace',
  resource: 'namespaces',
  scope: 'cluster',
  namePrefix: 'n-',
  top: {
    description: string(),
    projectId: { type: 'reference[/v3/schemas/project]', update: false } as {
      type: string;
      update: false;
      typed?: string;
    },
    resourceQuota: namespaceQuota,
    containerDefaultResourceLimit: containerLimit,
    state: string({ create: false, update: false, nullable: false }),
    transitioning: oneOf(['yes', 'no', 'error'], { create: false, update: false, nullable: false }),
    transitioningMessage: string({ create: false, update: false, nullable: false }),
  },
  v3: {
    collectionMethods: ['GET', 'POST'],
    resourceMethods: ['GET', 'PUT', 'DELETE'],
    resourceActions: { move: { input: 'namespaceMove' } },
    nameFrom: 'metadata',
  },
});
