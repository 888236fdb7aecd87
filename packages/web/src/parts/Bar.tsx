/** How much of something is asked for and used: a bar with its words, since colour and length alone say nothing to some. */
import type { ReactNode } from 'react';

export interface BarProps {
  /** Used now; drawn over what is requested. */
  readonly used?: number;
  readonly requested?: number;
  readonly total: number;
  readonly label: string;
  readonly children: ReactNode;
}

const tightShare = 0.8;
const fullShare = 0.95;

export function Bar({ used, requested, total, label, children }: BarProps) {
  const share = (value: number | undefined) => (value === undefined || total <= 0 ? 0 : Math.min(1, value / total));
  const most = Math.max(share(used), share(requested));
  const tone = most >= fullShare ? 'bad' : most >= tightShare ? 'warn' : '';
  return (
    <span className={`bar ${tone}`} role="img" aria-label={label} title={label}>
      <span className="words">{children}</span>
      <span className="track">
        <span className="requested" style={{ inlineSize: `${share(requested) * 100}%` }} />
        {used !== undefined && <span className="used" style={{ inlineSize: `${share(used) * 100}%` }} />}
      </span>
    </span>
  );
}
