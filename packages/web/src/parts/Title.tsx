/** The head of a page: its title (the tab's too), what stands beside it, and its actions. */
import { type ReactNode, useEffect } from 'react';

export interface TitleProps {
  readonly title: string;
  /** What the tab says where it is more than the title. */
  readonly tab?: string;
  readonly beside?: ReactNode;
  readonly children?: ReactNode;
}

export function Title({ title, tab = title, beside, children }: TitleProps) {
  useEffect(() => {
    document.title = `${tab} · Drover`;
  }, [tab]);
  return (
    <header className="title">
      <h1>{title}</h1>
      {beside}
      <span className="spread" />
      {children}
    </header>
  );
}
