/**
 * Clouds: those whose credentials can be kept, what each credential holds, and the hosts that it may be shown to. The same names
 * as clients of this API use for the drivers of machines.
 */
import { type Field, password, string, struct } from '../field.ts';

export interface Cloud {
  readonly id: string;
  /** The v3 field, and the schema, of its credential. */
  readonly field: string;
  /** Hosts of its API: `*.` in front stands for any subdomain, `%` for one label. */
  readonly hosts: readonly string[];
  readonly fields: Readonly<Record<string, Field>>;
}

const needed = () => string({ required: true });
const hidden = () => password({ required: true, secret: true });

const cloud = (id: string, hosts: readonly string[], fields: Cloud['fields']): Cloud => ({
  id,
  field: `${id}credentialConfig`,
  hosts,
  fields,
});

export const clouds: readonly Cloud[] = [
  cloud(
    'amazonec2',
    ['ec2', 'eks', 'kms', 'iam'].flatMap(service => [
      `${service}.%.amazonaws.com`,
      `${service}.%.amazonaws.com.cn`,
      ...(service === 'iam' ? ['iam.amazonaws.com'] : []),
    ]),
    { accessKey: needed(), defaultRegion: string(), secretKey: hidden() },
  ),
  cloud('azure', ['management.azure.com', 'login.microsoftonline.com'], {
    clientId: needed(),
    clientSecret: hidden(),
    environment: string(),
    subscriptionId: needed(),
    tenantId: string(),
  }),
  cloud('digitalocean', ['api.digitalocean.com'], { accessToken: hidden() }),
  cloud('exoscale', ['api.exoscale.com', 'api.exoscale.ch'], { apiKey: needed(), apiSecretKey: hidden() }),
  cloud('google', ['compute.googleapis.com', 'container.googleapis.com', 'oauth2.googleapis.com'], {
    authEncodedJson: hidden(),
  }),
  cloud('linode', ['api.linode.com'], { token: hidden() }),
  cloud('pnap', ['api.phoenixnap.com', 'auth.phoenixnap.com'], { clientIdentifier: needed(), clientSecret: hidden() }),
];

/** The credential of a place for snapshots; its host is in it. */
export const s3Credential = struct('s3CredentialConfig', {
  accessKey: needed(),
  defaultBucket: string(),
  defaultEndpoint: string(),
  defaultEndpointCA: string(),
  defaultFolder: string(),
  defaultRegion: string(),
  defaultSkipSSLVerify: string(),
  secretKey: hidden(),
});
