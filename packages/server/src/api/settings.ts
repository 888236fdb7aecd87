/** Settings in v3: the value that holds now, where it comes from, and what an empty one goes back to. */
import type { Setting, V3Data } from '@drover/api';
import { methodNotAllowed, notFound } from '@drover/base';
import type { ShownSetting } from '../settings.ts';
import { type ApiView, behaviour } from './behaviour.ts';

const show = (setting: ShownSetting): V3Data => ({
  id: setting.name,
  type: 'setting',
  baseType: 'setting',
  name: setting.name,
  value: setting.value,
  default: setting.default,
  customized: setting.source !== 'default',
  source: setting.source,
});

const may = (request: ApiView, verb: string, name: string) =>
  request.deps.auth.access.may(request.caller, verb, 'setting', { name });
const isVisible = (request: ApiView, name: string) =>
  request.deps.settings.isPublic(name) || may(request, 'get', name) || may(request, 'list', name);

export const settings = behaviour<Setting>({
  repeatable: true,
  source: {
    list: request =>
      request.deps.settings
        .all()
        .filter(setting => isVisible(request, setting.name))
        .map(show),
    get(request, id) {
      if (!isVisible(request, id)) throw notFound('setting', id);
      return show(request.deps.settings.show(id));
    },
    async update(request, id, input) {
      if (!may(request, 'update', id)) throw notFound('setting', id);
      const setting = request.deps.settings.show(id);
      if (setting.readOnly)
        throw methodNotAllowed(
          'PUT',
          `setting "${id}", which is fixed by ${setting.source === 'env' ? 'the environment' : 'the server'}`,
        );
      // What is not sent stays, as in every PUT.
      return show(
        input['value'] === undefined ? setting : await request.deps.settings.set(id, String(input['value'] ?? '')),
      );
    },
    // A setting is never gone: without a value of its own it has its default.
    async remove(request, id) {
      if (!may(request, 'delete', id)) throw notFound('setting', id);
      await request.deps.settings.set(id, '');
    },
  },
  links(request, links, data) {
    const { update: _, remove: __, ...rest } = links;
    const name = String(data['id']);
    return request.deps.settings.show(name).readOnly || !may(request, 'update', name)
      ? rest
      : { ...rest, update: links['update']! };
  },
});
