/** Calls that write roles and bind them, by the naive evaluator. Bodies are such that nothing but rights can be wrong with them. */
import type { Call } from './calls.ts';
import { can, reaches, sees } from './evaluator.ts';
import { mayBind, mayBindGlobal, mayWriteGlobal, mayWriteTemplate } from './granting.ts';
import { type Acting, bindingAt, noteBinding, type Planned } from './planned.ts';
import {
  at,
  globalOf,
  type Model,
  storedGlobal,
  storedTemplate,
  subjectFields,
  subjectOf,
  templateOf,
} from './setting.ts';
import { idIn, inV3 } from './wire.ts';
import { clusterOf, type GlobalRole, type Template } from './world.ts';

export function planRoles(model: Model, { rights, over }: Acting, call: Call): Planned | undefined {
  const { world } = model;
  const may = (verb: string, resource: string, more: object = {}) => can(world, rights, verb, { resource, ...more });
  const seesIt = (resource: string, more: object = {}) => sees(world, rights, { resource, ...more });
  switch (call.do) {
    case 'make template': {
      const template = templateOf(model, call.draft);
      const { roleTemplateNames, ...rest } = storedTemplate(template);
      const shared = { ...rest, clusterCreatorDefault: false, projectCreatorDefault: false };
      return {
        near: may('create', 'roletemplates'),
        allowed: may('create', 'roletemplates') && mayWriteTemplate(world, rights, template),
        send: () =>
          over.post('template', {
            v3: { name: 'made', ...shared, roleTemplateIds: roleTemplateNames },
            kubernetes: { displayName: 'made', ...shared, roleTemplateNames },
          }),
        done(answer) {
          const id = idIn(answer);
          world.templates.set(id, template);
          model.templates.unshift(id);
        },
      };
    }
    case 'change template': {
      const id = at(model.templates, call.at);
      const seen = world.templates.get(id);
      const change: Partial<Template> =
        'inherits' in call.change
          ? { inherits: [...new Set(call.change.inherits.map(index => at(model.templates, index)))] }
          : call.change;
      // Of a built-in one only its lock counts, whatever is sent.
      const kept: Partial<Template> = seen?.builtin ? ('locked' in change ? change : {}) : change;
      const next = seen && { ...seen, ...kept };
      const { inherits, ...others } = change;
      const near = seesIt('roletemplates', { name: id }) && may('update', 'roletemplates', { name: id });
      return {
        near,
        allowed: near && next !== undefined && mayWriteTemplate(world, rights, next, id),
        send: () =>
          over.change('template', id, {
            v3: { ...others, ...(inherits ? { roleTemplateIds: inherits } : {}) },
            kubernetes: { ...others, ...(inherits ? { roleTemplateNames: inherits } : {}) },
          }),
        done: () => void world.templates.set(id, next!),
      };
    }
    case 'delete template': {
      const id = at(model.templates, call.at);
      const used =
        [...world.bindings.values()].some(({ kind, role }) => kind !== 'global' && role === id) ||
        [...world.templates.values()].some(({ inherits }) => inherits.includes(id)) ||
        [...world.globalRoles.values()].some(({ inEveryCluster }) => inEveryCluster.includes(id));
      const seen = world.templates.get(id);
      const name = { name: id };
      return {
        allowed:
          seen !== undefined &&
          !seen.builtin &&
          !used &&
          seesIt('roletemplates', name) &&
          may('delete', 'roletemplates', name),
        send: () => over.delete('template', id),
        done: () => void world.templates.delete(id),
      };
    }
    case 'make global role': {
      const role = globalOf(model, call.draft);
      const fields = { ...storedGlobal(role), newUserDefault: false };
      const near = may('create', 'globalroles');
      return {
        near,
        allowed: near && mayWriteGlobal(rights, role) && fitEveryCluster(model, role),
        send: () =>
          over.post('global', { v3: { name: 'made', ...fields }, kubernetes: { displayName: 'made', ...fields } }),
        done(answer) {
          const id = idIn(answer);
          world.globalRoles.set(id, role);
          model.globalRoles.unshift(id);
        },
      };
    }
    case 'change global role': {
      const id = at(model.globalRoles, call.at);
      const seen = world.globalRoles.get(id);
      const next: GlobalRole | undefined = seen && (seen.builtin ? seen : { ...seen, rules: call.rules });
      const near = seesIt('globalroles', { name: id }) && may('update', 'globalroles', { name: id });
      return {
        near,
        allowed: near && next !== undefined && mayWriteGlobal(rights, next, id),
        send: () => over.change('global', id, { v3: { rules: call.rules }, kubernetes: { rules: call.rules } }),
        done: () => void world.globalRoles.set(id, next!),
      };
    }
    case 'delete global role': {
      const id = at(model.globalRoles, call.at);
      const seen = world.globalRoles.get(id);
      const used = [...world.bindings.values()].some(({ kind, role }) => kind === 'global' && role === id);
      const name = { name: id };
      return {
        allowed:
          seen !== undefined &&
          !seen.builtin &&
          !used &&
          seesIt('globalroles', name) &&
          may('delete', 'globalroles', name),
        send: () => over.delete('global', id),
        done: () => void world.globalRoles.delete(id),
      };
    }
    case 'bind global role': {
      const role = at(model.globalRoles, call.role);
      const named = subjectOf(model, call.subject);
      const near = may('create', 'globalrolebindings');
      return {
        near,
        allowed: near && mayBindGlobal(world, rights, role) && isThere(model, named),
        send: () =>
          over.post('globalBinding', {
            v3: { globalRoleId: role, ...inV3(subjectFields(named)) },
            kubernetes: { globalRoleName: role, ...subjectFields(named) },
          }),
        done: answer => noteBinding(model, idIn(answer), { kind: 'global', where: '', role, subject: named }),
      };
    }
    case 'bind in cluster': {
      const cluster = at(model.clusters, call.cluster);
      const role = at(model.templates, call.role);
      const named = subjectOf(model, call.subject);
      const near = reaches(world, rights, cluster) && may('create', 'clusterroletemplatebindings', { cluster });
      return {
        near,
        allowed: near && mayBind(world, rights, role, { cluster }) && isThere(model, named),
        send: () =>
          over.post(
            'clusterBinding',
            {
              v3: { clusterId: cluster, roleTemplateId: role, ...inV3(subjectFields(named)) },
              kubernetes: { clusterName: cluster, roleTemplateName: role, ...subjectFields(named) },
            },
            cluster,
          ),
        done: answer => noteBinding(model, idIn(answer), { kind: 'cluster', where: cluster, role, subject: named }),
      };
    }
    case 'bind in project': {
      const project = at(model.projects, call.project);
      const cluster = clusterOf(project);
      const role = at(model.templates, call.role);
      const named = subjectOf(model, call.subject);
      const near =
        reaches(world, rights, cluster) && may('create', 'projectroletemplatebindings', { cluster, project });
      return {
        near,
        allowed: near && mayBind(world, rights, role, { cluster, project }) && isThere(model, named),
        send: () =>
          over.post(
            'projectBinding',
            {
              v3: { projectId: project, roleTemplateId: role, ...inV3(subjectFields(named)) },
              kubernetes: { projectName: project, roleTemplateName: role, ...subjectFields(named) },
            },
            project.replace(':', '-'),
          ),
        done: answer => noteBinding(model, idIn(answer), { kind: 'project', where: project, role, subject: named }),
      };
    }
    case 'unbind': {
      const { id, kind, seen, thing } = bindingAt(model, call.at);
      return {
        allowed: seen !== undefined && sees(world, rights, thing) && can(world, rights, 'delete', thing),
        send: () => over.delete(kind, id),
        done: () => void world.bindings.delete(id),
      };
    }
    case 'turn binding': {
      const { id, kind } = bindingAt(model, call.at);
      const role = at(kind === 'globalBinding' ? model.globalRoles : model.templates, call.role);
      const fields =
        kind === 'globalBinding'
          ? { v3: { globalRoleId: role }, kubernetes: { globalRoleName: role } }
          : { v3: { roleTemplateId: role }, kubernetes: { roleTemplateName: role } };
      return {
        allowed: false,
        async send() {
          const answer = await over.change(kind, id, fields);
          // v3 drops what never changes and answers all the same: that the binding is what it was is looked at in the end.
          return answer.status < 300 ? { ...answer, status: 422 } : answer;
        },
      };
    }
  }
  return undefined;
}

/** A role for every cluster is one for clusters, and not locked. */
function fitEveryCluster({ world }: Model, { inEveryCluster }: GlobalRole): boolean {
  return inEveryCluster.every(id => {
    const template = world.templates.get(id);
    return template?.context === 'cluster' && !template.locked;
  });
}

/** Users are named that are there; principals and groups may be anybody's. */
const isThere = ({ world }: Model, named: string): boolean =>
  !named.startsWith('user ') || world.users.has(named.slice('user '.length));
