/** Which place in S3 is meant: the one of the file, as far as flags and environment say nothing else. */
import { readFile } from 'node:fs/promises';
import { invalid, messageOf, Secret } from '@drover/base';
import { type ClusterSpec, type S3Place, s3Problems } from '@drover/engine';
import { say } from '../messages.ts';

export interface S3Flags {
  readonly s3?: boolean;
  readonly s3Endpoint?: string;
  /** A file. */
  readonly s3EndpointCa?: string;
  readonly bucketName?: string;
  readonly region?: string;
  readonly accessKey?: string;
  readonly secretKey?: string;
  readonly folder?: string;
}

const flagOf: Readonly<Record<string, string>> = {
  bucket_name: '--bucket-name',
  endpoint: '--s3-endpoint',
  access_key: '--access-key',
  secret_key: '--secret-key',
  folder: '--folder',
  custom_ca: '--s3-endpoint-ca',
};

/** Undefined without --s3. Throws Invalid naming the flag that is wrong or missing. */
export async function placeOf(flags: S3Flags, spec: ClusterSpec): Promise<S3Place | undefined> {
  const given = [flags.s3Endpoint, flags.s3EndpointCa, flags.bucketName, flags.region, flags.accessKey, flags.folder];
  if (!flags.s3) {
    if ([...given, flags.secretKey].some(value => value !== undefined)) throw invalid('--s3', say('rkeS3Missing'));
    return undefined;
  }
  if (flags.secretKey !== undefined) process.stderr.write(`${say('rkeSecretKey')}\n`);
  const kept = spec.etcd.snapshots.s3;
  const { AWS_ACCESS_KEY_ID: environmentKey, AWS_SECRET_ACCESS_KEY: environmentSecret } = process.env;
  const secret = flags.secretKey ?? (kept?.secretKey ? undefined : environmentSecret);
  const place: S3Place = {
    endpoint: flags.s3Endpoint ?? kept?.endpoint ?? 's3.amazonaws.com',
    bucket: flags.bucketName ?? kept?.bucket ?? '',
    region: flags.region ?? kept?.region ?? '',
    folder: flags.folder ?? kept?.folder ?? '',
    accessKey: flags.accessKey ?? kept?.accessKey ?? environmentKey,
    secretKey: secret === undefined ? kept?.secretKey : new Secret(secret),
    customCa: flags.s3EndpointCa === undefined ? kept?.customCa : await readCa(flags.s3EndpointCa),
  };
  const problem = s3Problems(place).find(({ severity }) => severity === 'error');
  if (problem) throw invalid(flagOf[problem.field] ?? '--s3', problem.message);
  return place;
}

async function readCa(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw invalid('--s3-endpoint-ca', `${path} can't be read: ${messageOf(error)}`);
  }
}
