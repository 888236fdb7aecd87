/**
 * An assertion whose signature was checked: whether it is meant for us and for this request, and what it says. Only what
 * xml2js made of the signed part is looked at here, never the response around it.
 */
import type { StatusError } from '@drover/base';

interface XmlNode {
  readonly _?: string;
  readonly $?: Readonly<Record<string, string>>;
  readonly [child: string]: unknown;
}

export interface ParsedAssertion {
  readonly $: { readonly ID: string };
  readonly Issuer?: readonly XmlNode[];
  readonly Subject?: readonly { readonly SubjectConfirmation?: readonly XmlNode[] }[];
  readonly AttributeStatement?: readonly { readonly Attribute?: readonly XmlNode[] }[];
}

export interface ForUs {
  readonly issuer: string;
  readonly recipient: string;
  readonly requestId: string;
  readonly now: number;
  readonly skewMs: number;
  readonly refuse: (why: string) => StatusError;
}

const bearer = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';
const mostAttributeValues = 10_000;

/** When the assertion ends, in ms; throws what `refuse` makes where no confirmation names us, this request and this time. */
export function requireForUs(
  assertion: ParsedAssertion,
  { issuer, recipient, requestId, now, skewMs, refuse }: ForUs,
): number {
  if (textOf(assertion.Issuer?.[0]) !== issuer) throw refuse('it is from somebody else (issuer)');
  if (!assertion.$?.ID) throw refuse('its assertion has no id');
  const confirmations = (assertion.Subject ?? []).flatMap(subject => subject.SubjectConfirmation ?? []);
  const ours = confirmations
    .filter(({ $ }) => $?.['Method'] === bearer)
    .flatMap(({ SubjectConfirmationData: data }) => (data as XmlNode[] | undefined) ?? [])
    .map(({ $ = {} }) => $);
  const atUs = ours.filter(data => data['Recipient'] === recipient);
  if (atUs.length === 0) throw refuse('it is meant for another address (recipient)');
  const forRequest = atUs.filter(data => data['InResponseTo'] === requestId);
  if (forRequest.length === 0) throw refuse('this browser did not begin it');
  const ends = forRequest.map(data => Date.parse(data['NotOnOrAfter'] ?? '')).filter(end => end + skewMs > now);
  if (ends.length === 0) throw refuse('its time is over or has not come; compare the clocks');
  return Math.max(...ends);
}

/** Values by attribute, under its friendly name and its name; texts alone. */
export function attributesOf(assertion: ParsedAssertion): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let left = mostAttributeValues;
  for (const { Attribute = [] } of assertion.AttributeStatement ?? []) {
    for (const { $ = {}, AttributeValue: given } of Attribute) {
      const values = ((given as (XmlNode | string)[] | undefined) ?? [])
        .map(textOf)
        .filter(value => typeof value === 'string')
        .slice(0, left);
      left -= values.length;
      // A set: friendly name and name are often the same.
      for (const name of new Set([$['FriendlyName'], $['Name']]))
        if (name) found.set(name, [...(found.get(name) ?? []), ...values]);
    }
  }
  return found;
}

/** An element without attributes is its text; another has it within. */
function textOf(node: XmlNode | string | undefined): string | undefined {
  return typeof node === 'string' ? node : node?._;
}
