/** Kubernetes' quantities as numbers and as people read them; ages and dates in the language of the page. */

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
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** `4750m` is 4.75, `256Mi` is 268435456; undefined for what is none. */
export function parseQuantity(text: unknown): number | undefined {
  const found = /^([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)([A-Za-z]{0,2})$/.exec(String(text ?? ''));
  const factor = factors[found?.[2] ?? '-'];
  return found && factor !== undefined ? Number(found[1]) * factor : undefined;
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${value >= 100 || unit === 0 ? Math.round(value) : Number(value.toFixed(1))} ${units[unit]}`;
}

export function formatCount(value: number, language: string): string {
  return new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(value);
}

/** As Kubernetes' own tools write it: `5d`, `3h12m`. */
export function formatAge(since: string | undefined, nowMs: number): string {
  const from = since ? Date.parse(since) : Number.NaN;
  if (Number.isNaN(from)) return '';
  const seconds = Math.max(0, Math.floor((nowMs - from) / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  return days < 730 ? `${days}d` : `${Math.floor(days / 365)}y`;
}

export function formatTime(moment: string | undefined, language: string): string {
  const at = moment ? new Date(moment) : undefined;
  if (!at || Number.isNaN(at.getTime())) return '';
  return at.toLocaleString(language, { dateStyle: 'medium', timeStyle: 'medium' });
}
