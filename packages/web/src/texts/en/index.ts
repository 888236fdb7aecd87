/** English: all areas together. */
import { act } from './act.ts';
import { columns } from './columns.ts';
import { errors } from './errors.ts';
import { frame } from './frame.ts';
import { home } from './home.ts';
import { kinds } from './kinds.ts';
import { list } from './list.ts';
import { signIn } from './sign-in.ts';
import { states } from './states.ts';

export const en = { act, columns, errors, frame, home, kinds, list, signIn, states } as const;
