/**
 * CloudCredential: what opens somebody's account at a cloud, kept for him. Its secret parts are encrypted at rest and shown by no API;
 * the server uses them for requests that he sends through it.
 */
import { type Field, string, struct } from '../field.ts';
import { defineType } from '../type.ts';
import { clouds, s3Credential } from './clouds.ts';

const ofClouds = Object.fromEntries(
  clouds.map(({ field, fields }) => [field, struct(field, fields) as Field<Readonly<Record<string, string>>>]),
);

export const cloudCredential = defineType({
  id: 'cloudCredential',
  pluralName: 'cloudCredentials',
  // Not of the management group, whose types others may be given rights over: each is its owner's own.
  group: 'cloud.drover.io',
  version: 'v1',
  kind: 'CloudCredential',
  resource: 'cloudcredentials',
  scope: 'cluster',
  namePrefix: 'cc-',
  spec: {
    displayName: string({ as: 'name' }),
    description: string(),
    s3credentialConfig: s3Credential,
    ...ofClouds,
  },
  v3: {
    collectionMethods: ['GET', 'POST'],
    resourceMethods: ['GET', 'PUT', 'DELETE'],
    nameFrom: 'displayName',
  },
  columns: ['id', 'name', 'description'],
});
