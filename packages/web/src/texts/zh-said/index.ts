/** Simplified Chinese: all that the server says on pages. Loaded with the language, by nobody else. */
import { type Catalogue, sayer } from '../said/say.ts';
import { causes } from './causes.ts';
import { clusterFile } from './cluster-file.ts';
import { fieldNames, fields } from './fields.ts';
import { hosts } from './hosts.ts';
import { network } from './network.ts';
import { providers } from './providers.ts';
import { refusals } from './refusals.ts';
import { signIn } from './sign-in.ts';
import { steps } from './steps.ts';

export { fieldNames };

export const said: Catalogue = {
  ...fields,
  ...causes,
  ...network,
  ...hosts,
  ...steps,
  ...clusterFile,
  ...signIn,
  ...providers,
  ...refusals,
};

export const speech = () => ({ say: sayer(said), fieldNames });
