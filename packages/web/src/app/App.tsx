/**
 * The routes. To add a page: a component in `pages/`, a line here (lazy, so that it is loaded when somebody goes there), its entry in
 * SideNav, and its texts in both languages. What of it should survive a copied link goes through `useViewState`.
 */
import { useQueryClient } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useEffect } from 'react';
import { Route, Router, Switch, useLocation } from 'wouter';
import { session } from '../net/request.ts';
import { Home } from '../pages/Home.tsx';
import { NotFound } from '../pages/NotFound.tsx';
import { Skeleton } from '../parts/Notices.tsx';
import { Crash } from './Crash.tsx';
import { Shell } from './Shell.tsx';

const SignIn = lazy(async () => ({ default: (await import('../pages/SignIn.tsx')).SignIn }));
const KindList = lazy(async () => ({ default: (await import('../pages/KindList.tsx')).KindList }));
const KindObject = lazy(async () => ({ default: (await import('../pages/KindObject.tsx')).KindObject }));
const ClusterOverview = lazy(async () => ({ default: (await import('../pages/ClusterOverview.tsx')).ClusterOverview }));
const ImportCluster = lazy(async () => ({ default: (await import('../pages/ImportCluster.tsx')).ImportCluster }));
const Users = lazy(async () => ({ default: (await import('../pages/Users.tsx')).Users }));
const Tokens = lazy(async () => ({ default: (await import('../pages/Tokens.tsx')).Tokens }));
const Account = lazy(async () => ({ default: (await import('../pages/Account.tsx')).Account }));
const Settings = lazy(async () => ({ default: (await import('../pages/Settings.tsx')).Settings }));
const Members = lazy(async () => ({ default: (await import('../pages/Members.tsx')).Members }));
const OtherKinds = lazy(async () => ({ default: (await import('../pages/OtherKinds.tsx')).OtherKinds }));
const Workloads = lazy(async () => ({ default: (await import('../pages/Workloads.tsx')).Workloads }));
const CreateObject = lazy(async () => ({ default: (await import('../pages/CreateObject.tsx')).CreateObject }));
const Across = lazy(async () => ({ default: (await import('../pages/Across.tsx')).Across }));
const Groups = lazy(async () => ({ default: (await import('../pages/Groups.tsx')).Groups }));
const Roles = lazy(async () => ({ default: (await import('../pages/Roles.tsx')).Roles }));
const ClusterUsage = lazy(async () => ({ default: (await import('../pages/ClusterUsage.tsx')).ClusterUsage }));
const CreateCluster = lazy(async () => ({ default: (await import('../pages/CreateCluster.tsx')).CreateCluster }));
const ClusterHosts = lazy(async () => ({ default: (await import('../pages/ClusterHosts.tsx')).ClusterHosts }));
const Audit = lazy(async () => ({ default: (await import('../pages/Audit.tsx')).Audit }));
const ResourceMap = lazy(async () => ({ default: (await import('../pages/ResourceMap.tsx')).ResourceMap }));
const SignInProviders = lazy(async () => ({ default: (await import('../pages/SignInProviders.tsx')).SignInProviders }));
const SignInProvider = lazy(async () => ({ default: (await import('../pages/SignInProvider.tsx')).SignInProvider }));
const Setup = lazy(async () => ({ default: (await import('../pages/Setup.tsx')).Setup }));

export function App() {
  return (
    <Router base="/ui">
      <Sessions />
      <Suspense fallback={<Skeleton />}>
        <Switch>
          <Route path="/sign-in" component={SignIn} />
          <Route path="/setup" component={Setup} />
          <Route>
            <Shell>
              <Pages />
            </Shell>
          </Route>
        </Switch>
      </Suspense>
    </Router>
  );
}

function Pages(): ReactNode {
  const [path] = useLocation();
  return (
    <Crash key={path}>
      <Suspense fallback={<Skeleton />}>
        <Switch>
          <Route path="/" component={Home} />
          <Route path="/import/:id?" component={ImportCluster} />
          <Route path="/users" component={Users} />
          <Route path="/groups" component={Groups} />
          <Route path="/roles" component={Roles} />
          <Route path="/tokens" component={Tokens} />
          <Route path="/account" component={Account} />
          <Route path="/audit" component={Audit} />
          <Route path="/providers" component={SignInProviders} />
          <Route path="/providers/:name" component={SignInProvider} />
          <Route path="/settings" component={Settings} />
          <Route path="/create-cluster" component={CreateCluster} />
          <Route path="/c/:clusterId/hosts" component={ClusterHosts} />
          <Route path="/across/:plural" component={Across} />
          <Route path="/c/:clusterId/create/:plural" component={CreateObject} />
          <Route path="/c/:clusterId/map" component={ResourceMap} />
          <Route path="/c/:clusterId/usage" component={ClusterUsage} />
          <Route path="/c/:clusterId/workloads" component={Workloads} />
          <Route path="/c/:clusterId/members" component={Members} />
          <Route path="/c/:clusterId" component={ClusterOverview} />
          <Route path="/c/:clusterId/kinds" component={OtherKinds} />
          <Route path="/c/:clusterId/:plural" component={KindList} />
          <Route path="/c/:clusterId/:plural/:first/:second?" component={KindObject} />
          <Route component={NotFound} />
        </Switch>
      </Suspense>
    </Crash>
  );
}

/** When the session ends: to the sign-in page, and back to here afterwards. */
function Sessions(): ReactNode {
  const [path, navigate] = useLocation();
  const client = useQueryClient();
  useEffect(() => {
    session.ended = () => {
      if (path === '/sign-in') return;
      client.clear();
      const back = path === '/' && location.search === '' ? '' : `?to=${encodeURIComponent(path + location.search)}`;
      navigate(`/sign-in${back}`);
    };
  }, [path, navigate, client]);
  return null;
}
