/** The directories as sign-in providers: three names for one way of asking, each with what its kind takes by default. */
import { unauthorized } from '@drover/base';
import { text } from '../auth-providers/config-fields.ts';
import type { PasswordProvider } from '../auth-providers/configured-provider.ts';
import { currentIdentity, principalAt, searchDirectory, signInWithPassword, verifyDirectory } from './directory.ts';
import { DirectoryPools } from './pools.ts';
import { forEverybody } from './servers.ts';
import { type DirectoryKind, directorySettings } from './settings.ts';

/** Closed when the server ends. */
export const directories = new DirectoryPools();

function directory(name: DirectoryKind, configType: string, providerType: string): PasswordProvider {
  const dnIn = (id: string, kind: 'user' | 'group') => {
    const prefix = `${name}_${kind}://`;
    return id.startsWith(prefix) ? id.slice(prefix.length) : undefined;
  };
  return {
    kind: 'password',
    name,
    configType,
    providerType,
    check: config => void directorySettings(name, config.fields),
    tryOut: config => verifyDirectory(directories.of(config)),
    publicFields({ fields }) {
      const defaultLoginDomain = name === 'activedirectory' ? text(fields, 'defaultLoginDomain') : undefined;
      return defaultLoginDomain ? { defaultLoginDomain } : {};
    },
    signIn: (config, given) => signInWithPassword(directories.of(config), given),
    forEverybody,
    async refresh(config, { principalIds, lasting }) {
      const dn = principalIds.map(id => dnIn(id, 'user')).find(Boolean);
      if (dn === undefined) return undefined;
      const identity = await currentIdentity(directories.of(config), { dn, lasting });
      if (!identity) throw unauthorized(`"${name}" no longer knows him, or has disabled him`);
      return identity;
    },
    takesAnySpelling: true,
    search: (config, _, search) => searchDirectory(directories.of(config), search),
    async find(config, id) {
      const [user, group] = [dnIn(id, 'user'), dnIn(id, 'group')];
      if (user !== undefined) return principalAt(directories.of(config), { dn: user, kind: 'user' });
      return group === undefined ? undefined : principalAt(directories.of(config), { dn: group, kind: 'group' });
    },
  };
}

export const directoryProviders: readonly PasswordProvider[] = [
  directory('activedirectory', 'activeDirectoryConfig', 'activeDirectoryProvider'),
  directory('openldap', 'openLdapConfig', 'openLdapProvider'),
  directory('freeipa', 'freeIpaConfig', 'freeIpaProvider'),
];
