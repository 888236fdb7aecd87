/**
 * The routes. To add a page: a component in `pages/`, a line here (later, so that it is loaded when somebody goes there), its entry in
 * SideNav, and its texts in both languages. What of it should survive a copied link goes through `useViewState`.
 */
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect } from 'react';
import { Route, Router, Switch, useLocation } from 'wouter';
import { session } from '../net/request.ts';
import { Home } from '../pages/Home.tsx';
import { NotFound } from '../pages/NotFound.tsx';
import { later } from '../parts/later.tsx';
import { Skeleton } from '../parts/Notices.tsx';
import { Crash } from './Crash.tsx';
import { Shell } from './Shell.tsx';

const SignIn = later(async () => (await import('../pages/SignIn.tsx')).SignIn, Skeleton);
const KindList = later(async () => (await import('../pages/KindList.tsx')).KindList, Skeleton);
const KindObject = later(async () => (await import('../pages/KindObject.tsx')).KindObject, Skeleton);
const ClusterOverview = later(async () => (await import('../pages/ClusterOverview.tsx')).ClusterOverview, Skeleton);
const ImportCluster = later(async () => (await import('../pages/ImportCluster.tsx')).ImportCluster, Skeleton);
const Users = later(async () => (await import('../pages/Users.tsx')).Users, Skeleton);
const Tokens = later(async () => (await import('../pages/Tokens.tsx')).Tokens, Skeleton);
const Account = later(async () => (await import('../pages/Account.tsx')).Account, Skeleton);
const Settings = later(async () => (await import('../pages/Settings.tsx')).Settings, Skeleton);
const Members = later(async () => (await import('../pages/Members.tsx')).Members, Skeleton);
const OtherKinds = later(async () => (await import('../pages/OtherKinds.tsx')).OtherKinds, Skeleton);
const Workloads = later(async () => (await import('../pages/Workloads.tsx')).Workloads, Skeleton);
const CreateObject = later(async () => (await import('../pages/CreateObject.tsx')).CreateObject, Skeleton);
const Across = later(async () => (await import('../pages/Across.tsx')).Across, Skeleton);
const Groups = later(async () => (await import('../pages/Groups.tsx')).Groups, Skeleton);
const Roles = later(async () => (await import('../pages/Roles.tsx')).Roles, Skeleton);
const ClusterUsage = later(async () => (await import('../pages/ClusterUsage.tsx')).ClusterUsage, Skeleton);
const CreateCluster = later(async () => (await import('../pages/CreateCluster.tsx')).CreateCluster, Skeleton);
const ClusterHosts = later(async () => (await import('../pages/ClusterHosts.tsx')).ClusterHosts, Skeleton);
const Audit = later(async () => (await import('../pages/Audit.tsx')).Audit, Skeleton);
const ResourceMap = later(async () => (await import('../pages/ResourceMap.tsx')).ResourceMap, Skeleton);
const SignInProviders = later(async () => (await import('../pages/SignInProviders.tsx')).SignInProviders, Skeleton);
const SignInProvider = later(async () => (await import('../pages/SignInProvider.tsx')).SignInProvider, Skeleton);
const Setup = later(async () => (await import('../pages/Setup.tsx')).Setup, Skeleton);

export function App() {
  return (
    <Router base="/ui">
      <Sessions />
      <Switch>
        <Route path="/sign-in" component={SignIn} />
        <Route path="/setup" component={Setup} />
        <Route>
          <Shell>
            <Pages />
          </Shell>
        </Route>
      </Switch>
    </Router>
  );
}

function Pages(): ReactNode {
  const [path] = useLocation();
  return (
    <Crash key={path}>
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
