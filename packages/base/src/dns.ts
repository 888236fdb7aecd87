/** What DNS, and so Kubernetes, takes for a name (RFC 1123). */

const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export function isDnsLabel(name: string): boolean {
  return label.test(name);
}

/** RFC 1123 subdomain, at most 253 characters: what Kubernetes takes for most object names. */
export function isDnsSubdomain(name: string): boolean {
  return name.length <= 253 && name.split('.').every(part => label.test(part));
}
