/** Directories to sign in with: Active Directory, OpenLDAP and FreeIPA, each asked as it is configured. */
export { directories, directoryProviders } from './providers.ts';
