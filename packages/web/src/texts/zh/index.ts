/** Simplified Chinese: all areas together. */
import { account } from './account.ts';
import { act } from './act.ts';
import { audit } from './audit.ts';
import { columns } from './columns.ts';
import { detail } from './detail.ts';
import { dock } from './dock.ts';
import { edit } from './edit.ts';
import { editor } from './editor.ts';
import { errors } from './errors.ts';
import { files } from './files.ts';
import { frame } from './frame.ts';
import { history } from './history.ts';
import { home } from './home.ts';
import { hosts } from './hosts.ts';
import { importing } from './importing.ts';
import { kinds } from './kinds.ts';
import { list } from './list.ts';
import { logs } from './logs.ts';
import { look } from './look.ts';
import { manage } from './manage.ts';
import { map } from './map.ts';
import { overview } from './overview.ts';
import { palette } from './palette.ts';
import { providers } from './providers.ts';
import { roles } from './roles.ts';
import { settings } from './settings.ts';
import { signIn } from './sign-in.ts';
import { states } from './states.ts';
import { usage } from './usage.ts';

export const zh = {
  account,
  act,
  audit,
  columns,
  detail,
  dock,
  edit,
  editor,
  errors,
  files,
  frame,
  history,
  home,
  hosts,
  importing,
  kinds,
  list,
  logs,
  look,
  manage,
  overview,
  map,
  palette,
  providers,
  roles,
  settings,
  signIn,
  states,
  usage,
} as const;
