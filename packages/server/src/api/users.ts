/** Users in v3: made with a password that is never shown, changed within what a caller may, `me` on one's own. */
import { toV3, types, type User } from '@drover/api';
import { forbidden, invalid, type StatusError } from '@drover/base';
import {
  changePassword,
  createUser,
  deleteUser,
  isSystemUser,
  requireMayActOn,
  setPassword,
  updateUser,
  whyNotActOn,
} from '../auth/index.ts';
import { refreshEverybody, refreshUser } from '../auth-providers/index.ts';
import { refusal } from '../explain/refusal.ts';
import { type ApiView, behaviour } from './behaviour.ts';
import { createdBy } from './created-by.ts';
import { onceIn } from './once-in.ts';
import { findType } from './registry.ts';
import { showResource } from './show.ts';
import { depsOf } from './tokens.ts';

const may = (request: ApiView, verb: string, user: User) =>
  request.deps.auth.access.may(request.caller, verb, 'user', { name: user.metadata.name });

const mayRefreshAll = ({ deps, caller }: ApiView) => deps.auth.access.may(caller, 'create', 'user');

const isSelf = ({ caller }: ApiView, { metadata }: User) => metadata.name === caller.userId;

/** Whoever holds more than the caller is out of his reach. */
function hasMore(view: ApiView, { metadata }: User): (() => StatusError) | undefined {
  const { deps, caller } = view;
  if (deps.auth.access.isAdmin(caller)) return undefined;
  const ask = () => whyNotActOn({ access: deps.auth.access, caches: deps.caches }, caller, metadata.name);
  // Links and actions all ask. Groups of his may come and go without that grants change, so a subscription asks anew.
  const why = 'exchange' in view ? onceIn(view, `act on ${metadata.name}`, ask) : ask();
  return why === undefined ? undefined : () => forbidden(why);
}

export const users = behaviour<User>({
  repeatable: true,
  visible: (request, user) =>
    !isSystemUser(user) &&
    (user.metadata.name === request.caller.userId || may(request, 'list', user) || may(request, 'get', user)),
  show: (request, data, user) => ({ ...data, me: user.metadata.name === request.caller.userId }),
  async create(request, input) {
    const user = await createUser(depsOf(request), {
      username: String(input['username'] ?? ''),
      password: String(input['password'] ?? ''),
      displayName: (input['name'] as string | null) ?? undefined,
      description: (input['description'] as string | null) ?? undefined,
      enabled: (input['enabled'] as boolean | null) ?? undefined,
      mustChangePassword: (input['mustChangePassword'] as boolean | null) ?? undefined,
      ...createdBy(request.caller.userId, input),
    });
    return { ...toV3(types.user, user), me: false };
  },
  mayUpdate: (request, user) => isSelf(request, user) || may(request, 'update', user),
  objections: {
    update: (request, user) => (isSelf(request, user) ? undefined : hasMore(request, user)),
    delete: (request, user) =>
      isSelf(request, user)
        ? () => invalid('id', "you can't delete yourself", 'InvalidAction')
        : hasMore(request, user),
  },
  async update(request, user, input) {
    await updateUser(depsOf(request), request.caller, {
      id: user.metadata.name,
      displayName: (input['name'] as string | null) ?? undefined,
      description: (input['description'] as string | null) ?? undefined,
      enabled: (input['enabled'] as boolean | null) ?? undefined,
      mustChangePassword: (input['mustChangePassword'] as boolean | null) ?? undefined,
    });
  },
  async remove(request, user) {
    await deleteUser(depsOf(request), request.caller, user.metadata.name);
  },
  actions: {
    setpassword: {
      offered: (request, user) => may(request, 'update', user),
      allowed: (request, user) => !hasMore(request, user),
      async run(request, user, input) {
        const change = { id: user.metadata.name, newPassword: String(input['newPassword'] ?? '') };
        return showResource(request, findType('user')!, await setPassword(depsOf(request), request.caller, change));
      },
    },
    refreshauthprovideraccess: {
      offered: (request, user) => may(request, 'update', user),
      allowed: (request, user) => !hasMore(request, user),
      async run(request, user) {
        requireMayActOn(
          { access: request.deps.auth.access, caches: request.deps.caches },
          request.caller,
          user.metadata.name,
        );
        await refreshUser(depsOf(request), user.metadata.name);
        return undefined;
      },
    },
  },
  collectionAllowed: { refreshauthprovideraccess: mayRefreshAll },
  collectionActions: {
    async changepassword(request, input) {
      await changePassword(depsOf(request), request.caller, {
        currentPassword: String(input['currentPassword'] ?? ''),
        newPassword: String(input['newPassword'] ?? ''),
      });
      return undefined;
    },
    async refreshauthprovideraccess(request) {
      const { caches, auth } = request.deps;
      if (!mayRefreshAll(request))
        throw refusal({ caches, access: auth.access }, request.caller, {
          text: 'you may not refresh users',
          wanted: { verb: 'create', type: 'user', place: {} },
        });
      await refreshEverybody(depsOf(request));
      return undefined;
    },
  },
});
