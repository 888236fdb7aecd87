/**
 * What the server takes from here: where the built UI is, and the page at `/` of a server without one: what it is and how to sign in,
 * in plain HTML without scripts, so that the strictest policy fits it.
 */

/** The UI as it was built, one file; absent until `./drover up` or the making of an image has built it. */
export const builtUi = new URL('../dist/ui.json', import.meta.url);

interface Texts {
  readonly lang: string;
  readonly fonts: string;
  readonly lead: string;
  readonly signIn: string;
  readonly bring: string;
  readonly programs: string;
  readonly api: string;
  readonly kubernetes: string;
  readonly health: string;
  readonly colon: string;
}

const en: Texts = {
  lang: 'en',
  fonts: '"Segoe UI", sans-serif',
  lead: 'Many Kubernetes clusters from one place. This server is running.',
  signIn: 'Sign in from a terminal',
  bring: 'Bring a cluster',
  programs: 'For programs',
  api: 'the management API',
  kubernetes: 'the Kubernetes API of a cluster',
  health: 'health',
  colon: ': ',
};

const zh: Texts = {
  lang: 'zh-CN',
  fonts: '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif',
  lead: '在一处管理多个 Kubernetes 集群。服务器正在运行。',
  signIn: '在终端登录',
  bring: '接入集群',
  programs: '程序接口',
  api: '管理 API',
  kubernetes: '集群的 Kubernetes API',
  health: '健康检查',
  colon: '：',
};

const style = `
  :root { color-scheme: light dark; --ink: light-dark(#1b1f24, #e6e8ea); --dim: light-dark(#5b6470, #9aa4af); --line: light-dark(#e1e4e8, #2b3138); --page: light-dark(#fff, #14171a); --accent: light-dark(#0b63c5, #6cb2ff); }
  body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.6 system-ui, -apple-system, FONTS; }
  main { max-width: 40rem; margin: 12vh auto; padding: 0 1.5rem; }
  h1 { font-size: 1.75rem; letter-spacing: -0.02em; margin: 0 0 0.25rem; }
  p.lead { color: var(--dim); margin: 0 0 2rem; }
  h2 { font-size: 0.8rem; color: var(--dim); font-weight: 600; margin: 2rem 0 0.5rem; }
  pre { margin: 0; padding: 0.75rem 1rem; border: 1px solid var(--line); border-radius: 8px; overflow-x: auto; font: 13px/1.6 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
  a { color: var(--accent); }
  ul { margin: 0; padding-left: 1.1rem; }
`;

/** The page, in Chinese where the browser's first language is; `server` is how it was reached. */
export function homePage(server: string, acceptLanguage: string): string {
  const t = /^\s*zh\b/i.test(acceptLanguage) ? zh : en;
  return `<!doctype html>
<html lang="${t.lang}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Drover</title>
<style>${style.replace('FONTS', t.fonts)}</style>
<main>
  <h1>Drover</h1>
  <p class="lead">${t.lead}</p>
  <h2>${t.signIn}</h2>
  <pre>drover login ${escapeHtml(server)}
drover clusters list
drover kubectl get nodes</pre>
  <h2>${t.bring}</h2>
  <pre>drover clusters import my-cluster --context my-context</pre>
  <h2>${t.programs}</h2>
  <ul>
    <li><a href="/v3">/v3</a>${t.colon}${t.api}</li>
    <li>/k8s/clusters/&lt;id&gt;${t.colon}${t.kubernetes}</li>
    <li><a href="/healthz">/healthz</a>, <a href="/readyz?verbose">/readyz</a>${t.colon}${t.health}</li>
  </ul>
</main>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, char => `&#${char.charCodeAt(0)};`);
}
