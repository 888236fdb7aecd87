/**
 * What of a client's request goes to a host of others, and what of its answer comes back. Both are lists of what may pass: our tokens,
 * cookies and claims of who somebody is are on none of them, however they are written.
 */

const sent =
  /^(?:accept|accept-language|content-type|if-match|if-modified-since|if-none-match|prefer|range|x-amz-[a-z0-9-]+|x-auth-token|x-goog-[a-z0-9-]+|x-ms-[a-z0-9-]+|x-subject-token|(?:x-)?openstack-[a-z0-9-]+)$/;
const answered =
  /^(?:content-encoding|content-language|content-range|content-type|etag|last-modified|link|retry-after|(?:x-)?ratelimit-[a-z0-9-]+|x-amz-[a-z0-9-]+|x-amzn-[a-z0-9-]+|x-goog-[a-z0-9-]+|x-ms-[a-z0-9-]+|x-openstack-[a-z0-9-]+|x-request-id|x-subject-token)$/;
/** Clients write it before values that browsers would take for their own. */
const mark = /^rancher:/;

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** The headers to send; `authorization` is what the client himself wants shown there. */
export function sentHeaders(headers: Headers, authorization?: string): Record<string, string> {
  const out: Record<string, string> = { 'user-agent': 'drover' };
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && sent.test(name)) out[name] = [value].flat().join(', ').replace(mark, '');
  if (authorization) out['authorization'] = authorization.replace(mark, '');
  return out;
}

/** The headers to answer with. What comes from elsewhere shares our origin: it may set nothing, load nothing and run nothing. */
export function answerHeaders(headers: Headers): Record<string, string | string[]> {
  const kept = Object.entries(headers).filter(([name, value]) => value !== undefined && answered.test(name));
  return {
    ...(Object.fromEntries(kept) as Record<string, string | string[]>),
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
  };
}
