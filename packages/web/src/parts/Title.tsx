/** The head of a page: its title (the tab's too), what stands beside it, and its actions. */
import { type ReactNode, useEffect } from 'react';
import { useLocation } from 'wouter';
import { remember } from '../app/recents.ts';

export interface TitleProps {
  readonly title: string;
  /** What the tab says where it is more than the title. */
  readonly tab?: string;
  readonly beside?: ReactNode;
  readonly children?: ReactNode;
}

export function Title({ title, tab = title, beside, children }: TitleProps) {
  const [path] = useLocation();
  useEffect(() => {
    document.title = `${tab} · Drover`;
    remember(path, tab);
  }, [tab, path]);
  return (
    <header className="title">
      <h1>{title}</h1>
      {beside}
      <span className="spread" />
      {children}
    </header>
  );
}
