/** English: all areas together. */
import { act } from './act.ts';
import { columns } from './columns.ts';
import { detail } from './detail.ts';
import { errors } from './errors.ts';
import { frame } from './frame.ts';
import { home } from './home.ts';
import { kinds } from './kinds.ts';
import { list } from './list.ts';
import { overview } from './overview.ts';
import { signIn } from './sign-in.ts';
import { states } from './states.ts';

export const en = { act, columns, detail, errors, frame, home, kinds, list, overview, signIn, states } as const;
