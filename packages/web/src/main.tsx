/** Starts the UI: texts first, so that nothing is shown twice; then the frame, in whose routes the pages are. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/App.tsx';
import { isTriedAgain } from './net/request.ts';
import { startTexts } from './texts/index.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/parts.css';
import './styles/frame.css';
import './styles/list.css';
import './styles/detail.css';
import './styles/dock.css';
import './styles/pages.css';
import './styles/audit.css';
import './styles/cluster-look.css';
import './styles/history.css';
import './styles/log-time.css';
import './styles/map.css';
import './styles/providers.css';

const client = new QueryClient({
  defaultOptions: {
    queries: {
      retry: isTriedAgain,
      // What is live is told; what isn't is asked again when one comes back to it.
      staleTime: 10_000,
      // Requests go out while the browser says that it is offline: a server on this machine answers all the same.
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
});

await startTexts();
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);
