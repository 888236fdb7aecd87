/** AWS Signature Version 4: what a request to an AWS API carries in place of the secret. The key itself never leaves the server. */
import { createHash, createHmac } from 'node:crypto';
import type { Secret } from '@drover/base';

export interface AwsRequest {
  readonly method: string;
  readonly host: string;
  /** As it is sent. */
  readonly path: string;
  /** With its `?`, or empty. */
  readonly search: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface AwsKey {
  readonly accessKey: string;
  readonly secretKey: Secret;
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const signed = /^(?:host|x-amz-.*)$/;

/** The service and region that an AWS host is of; global services are in the region that their partition has for them. */
export function awsPlace(host: string): { readonly service: string; readonly region: string } {
  const labels = host
    .replace(/:\d+$/, '')
    .replace(/\.amazonaws\.com(?:\.cn)?$/, '')
    .split('.');
  const last = labels.at(-1) ?? '';
  if (/^[a-z]{2}(?:-[a-z]+)+-\d+$/.test(last)) return { service: labels.at(-2) ?? '', region: last };
  const fallback = host.endsWith('.cn') ? 'cn-north-1' : host.includes('us-gov') ? 'us-gov-west-1' : 'us-east-1';
  return { service: last === 'us-gov' ? (labels.at(-2) ?? '') : last, region: fallback };
}

/** The headers to add: Authorization, and the time that it holds for. */
export function awsHeaders(
  request: AwsRequest,
  { accessKey, secretKey }: AwsKey,
  { service, region }: ReturnType<typeof awsPlace> = awsPlace(request.host),
  now = new Date(),
): Record<string, string> {
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = time.slice(0, 8);
  const bodyHash = sha256(request.body);
  const added = { 'x-amz-date': time, ...(service === 's3' ? { 'x-amz-content-sha256': bodyHash } : {}) };
  const all = Object.entries({ ...request.headers, ...added, host: request.host })
    .map(([name, value]): [string, string] => [name.toLowerCase(), value.trim().replace(/ +/g, ' ')])
    .filter(([name]) => signed.test(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const names = all.map(([name]) => name).join(';');
  const canonical = [
    request.method,
    request.path === '' ? '/' : request.path,
    canonicalQuery(request.search),
    ...all.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    bodyHash,
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const key = [region, service, 'aws4_request'].reduce<Buffer>(hmac, hmac(`AWS4${secretKey.reveal()}`, day));
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')).toString('hex');
  const credential = `Credential=${accessKey}/${scope}`;
  return { ...added, authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names}, Signature=${signature}` };
}

const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

function canonicalQuery(search: string): string {
  return [...new URLSearchParams(search)]
    .map(([name, value]): [string, string] => [encode(name), encode(value)])
    .sort(([a, x], [b, y]) => (a < b || (a === b && x < y) ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}
