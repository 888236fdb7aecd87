/**
 * Kubernetes quantities (`250m`, `1Gi`, `2e3`), as numbers to add up and back as text. A double is exact enough:
 * these are sums for people and ratios, not ledgers.
 */
import { badRequest } from './errors.ts';

const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

const pattern = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/;

/** The quantity in base units: cores, bytes, pieces. Throws BadRequest for anything else. */
export function parseQuantity(text: string | number): number {
  const match = pattern.exec(String(text).trim());
  if (!match) throw badRequest(`quantity "${text}" must be a number with an optional suffix such as m, Ki, Mi, Gi`);
  return Number(match[1]) * factors[match[2] ?? '']!;
}

/** CPU as Rancher shows it: whole cores plain, else millicores. */
export function formatCpu(cores: number): string {
  const milli = Math.ceil(cores * 1000 - 1e-6);
  return milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`;
}

/** Bytes in the largest binary unit that stays whole. */
export function formatBytes(bytes: number): string {
  let value = Math.ceil(bytes);
  for (const unit of ['', 'Ki', 'Mi', 'Gi', 'Ti']) {
    if (value === 0 || value % 1024 !== 0 || unit === 'Ti') return `${value}${unit}`;
    value /= 1024;
  }
  return String(value);
}
