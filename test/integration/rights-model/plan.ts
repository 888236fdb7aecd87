/** Plan: any call, by the naive evaluator. Whoever was removed can do nothing at all. */
import type { Call } from './calls.ts';
import { can, reaches, rightsOf, sees } from './evaluator.ts';
import { mayActOn } from './granting.ts';
import { planRoles } from './plan-roles.ts';
import { type Acting, bindingAt, type Planned } from './planned.ts';
import { at, type Model, type Real } from './setting.ts';
import { idIn, wire } from './wire.ts';
import { clusterOf } from './world.ts';

export function plan(model: Model, real: Real, actor: string, call: Call): Planned {
  const { world } = model;
  const rights = rightsOf(world, actor);
  const here = world.users.has(actor);
  const over = wire(real, actor, 'via' in call ? call.via : 'v3');
  const planned =
    planRoles(model, { actor, rights, over }, call) ?? planOthers(model, real, { actor, rights, over }, call);
  return planned.outside ? planned : { ...planned, allowed: here && planned.allowed };
}

function planOthers(model: Model, real: Real, { actor, rights, over }: Acting, call: Call): Planned {
  const { world } = model;
  const may = (verb: string, resource: string, more: object = {}) => can(world, rights, verb, { resource, ...more });
  const seesIt = (resource: string, more: object = {}) => sees(world, rights, { resource, ...more });
  switch (call.do) {
    case 'make project': {
      const cluster = at(model.clusters, call.cluster);
      const spec = { clusterName: cluster, displayName: 'made' };
      return {
        allowed: reaches(world, rights, cluster) && may('create', 'projects', { cluster }),
        send: () => over.post('project', { v3: { clusterId: cluster, name: 'made' }, kubernetes: { spec } }, cluster),
        done(answer) {
          const id = idIn(answer);
          world.projects.add(id);
          model.projects.unshift(id);
        },
      };
    }
    case 'change project':
    case 'delete project':
    case 'look at project': {
      const id = at(model.projects, call.at);
      const thing = { resource: 'projects', cluster: clusterOf(id), name: id.split(':')[1]!, project: id };
      const there = world.projects.has(id) && sees(world, rights, thing);
      if (call.do === 'look at project') return { allowed: there, send: () => over.get('project', id) };
      if (call.do === 'delete project')
        return {
          allowed: there && can(world, rights, 'delete', thing),
          send: () => over.delete('project', id),
          done: () => void world.projects.delete(id),
        };
      const text = { description: 'changed' };
      return {
        allowed: there && can(world, rights, 'update', thing),
        send: () => over.change('project', id, { v3: text, kubernetes: { spec: text } }),
      };
    }
    case 'move namespace': {
      const key = at(model.namespaces, call.at);
      const [cluster = '', name = ''] = key.split(' ');
      const from = world.namespaces.get(key);
      const to = at(model.projects, call.project);
      const mayIn = (project: string | undefined) =>
        project === undefined ||
        (clusterOf(project) === cluster &&
          world.projects.has(project) &&
          can(world, rights, 'update', { resource: 'projects', cluster, name: project.split(':')[1]!, project }));
      return {
        near: reaches(world, rights, cluster) && mayIn(to),
        allowed: reaches(world, rights, cluster) && mayIn(from) && mayIn(to),
        send: () =>
          real.api.ask('POST', `/v3/cluster/${cluster}/namespaces/${name}?action=move`, {
            as: real.tokens.get(actor)!,
            body: { projectId: to },
          }),
        done: () => void world.namespaces.set(key, to),
      };
    }
    case 'act on user': {
      // The first admin has to be there for the next beginning.
      const id = at(call.how === 'delete' ? model.users : [...model.users, real.api.adminId], call.user);
      const name = { name: id };
      const mayChange = may('update', 'users', name);
      const there = world.users.has(id) && (actor === id || seesIt('users', name));
      const actsOn = mayActOn(world, rights, id);
      const as = real.tokens.get(actor)!;
      const path = `/v3/users/${id}`;
      const near = there && mayChange && actor !== id;
      if (call.how === 'change')
        return {
          near,
          allowed: there && (actor === id || (mayChange && actsOn)),
          send: () => real.api.ask('PUT', path, { as, body: { description: 'changed' } }),
        };
      if (call.how === 'refresh')
        return {
          near,
          allowed: there && mayChange && actsOn,
          send: () => real.api.ask('POST', `${path}?action=refreshauthprovideraccess`, { as, body: {} }),
        };
      if (call.how === 'password')
        return {
          near,
          allowed: there && mayChange && actsOn && !world.users.get(id)!.provided,
          send: () =>
            real.api.ask('POST', `${path}?action=setpassword`, { as, body: { newPassword: 'a new one, long enough' } }),
        };
      return {
        near,
        // Nobody removes himself.
        allowed: there && actor !== id && can(world, rights, 'delete', { resource: 'users', ...name }) && actsOn,
        send: () => real.api.ask('DELETE', path, { as }),
        done: () => void world.users.delete(id),
      };
    }
    case 'make token': {
      const cluster = call.cluster === null ? undefined : at(model.clusters, call.cluster);
      return {
        allowed: cluster === undefined || reaches(world, rights, cluster),
        send: () =>
          real.api.ask('POST', '/v3/tokens', {
            as: real.tokens.get(actor)!,
            body: cluster === undefined ? {} : { clusterId: cluster },
          }),
      };
    }
    case 'delete token': {
      const user = at(
        model.users.filter(id => id !== actor),
        call.user,
      );
      const token = real.tokens.get(user)!.split(':')[0]!;
      return {
        allowed: false,
        send: () => real.api.ask('DELETE', `/v3/tokens/${token}`, { as: real.tokens.get(actor)! }),
      };
    }
    case 'set setting':
      return {
        // Everybody sees these; who may not see one over Kubernetes' API may not change it either.
        allowed: may('update', 'settings', { name: call.name }),
        send: () =>
          over.change('setting', call.name, { v3: { value: 'x' }, kubernetes: { value: `x${Math.random()}` } }),
      };
    case 'change cluster': {
      const cluster = at(model.clusters, call.cluster);
      return {
        allowed: reaches(world, rights, cluster) && may('update', 'clusters', { name: cluster }),
        send: () =>
          over.change('cluster', cluster, {
            v3: { description: 'changed' },
            kubernetes: { spec: { description: 'changed' } },
          }),
      };
    }
    case 'let provider in':
      return {
        allowed: rights.admin,
        send: () => real.api.ask('POST', '/v1-scim-token/ping', { as: real.tokens.get(actor)! }),
      };
    case 'provider fills group': {
      const id = at(model.users, call.user);
      const user = world.users.get(id);
      const members = call.empty ? [] : [{ value: id }];
      const path = `/v1-scim/okta/Groups/${real.group}`;
      return {
        outside: true,
        allowed: call.empty || user?.provided === true,
        send: () => real.api.ask('PUT', path, { as: real.scimToken, body: { displayName: 'dev', members } }),
        done() {
          const provided = world.users.get(real.provided);
          if (provided) world.users.set(real.provided, { ...provided, groups: call.empty ? [] : ['okta_group://dev'] });
        },
      };
    }
    case 'look at binding': {
      const { id, kind, seen, thing } = bindingAt(model, call.at);
      return { allowed: seen !== undefined && sees(world, rights, thing), send: () => over.get(kind, id) };
    }
    case 'look at cluster': {
      const cluster = at(model.clusters, call.cluster);
      return {
        allowed: can(world, rights, 'get', { resource: 'clusters', name: cluster }) && reaches(world, rights, cluster),
        send: () => over.get('cluster', cluster),
      };
    }
    case 'look at user': {
      const id = at(model.users, call.user);
      return {
        allowed: world.users.has(id) && (actor === id || seesIt('users', { name: id })),
        send: () => over.get('user', id),
      };
    }
  }
  throw new Error(`no plan for ${call.do}`);
}
