/** Settings in v3: the value that holds now, where it comes from, and what an empty one goes back to. */
import type { V3Data } from '@drover/api';
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

const readOnly = ({ name, source, readOnly }: ShownSetting) =>
  readOnly
    ? () =>
        methodNotAllowed(
          'PUT',
          `setting "${name}", which is fixed by ${source === 'env' ? 'the environment' : 'the server'}`,
        )
    : undefined;

export const settings = behaviour<V3Data>({
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
      const refuse = readOnly(setting);
      if (refuse) throw refuse();
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
  mayUpdate: (request, data) => may(request, 'update', String(data['id'])),
  objections: { update: (request, data) => readOnly(request.deps.settings.show(String(data['id']))) },
  // It can be put back to its default, but not taken away.
  links: (_, { remove: __, ...links }) => links,
});
