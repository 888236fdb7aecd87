/** Keeps a page that fails from taking the frame with it, and shows what to report. */
import { Component, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Copy } from '../parts/Copy.tsx';
import { Empty } from '../parts/Notices.tsx';

interface CrashState {
  readonly error?: Error;
}

export class Crash extends Component<{ readonly children: ReactNode }, CrashState> {
  override state: CrashState = {};

  static getDerivedStateFromError(error: Error): CrashState {
    return { error };
  }

  override render(): ReactNode {
    return this.state.error ? <Crashed error={this.state.error} /> : this.props.children;
  }
}

function Crashed({ error }: { readonly error: Error }) {
  const { t } = useTranslation();
  return (
    <Empty icon="bad" title={t('frame.crashed')} hint={t('frame.crashedHint')}>
      {/* Files of a page from before the server was renewed are gone: from its address it comes whole. */}
      <button type="button" className="primary" onClick={() => location.reload()}>
        {t('frame.retry')}
      </button>
      <Copy text={`${error.message}\n${error.stack ?? ''}`} />
    </Empty>
  );
}
