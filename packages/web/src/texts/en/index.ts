/** English: all areas together. */
import { errors } from './errors.ts';
import { frame } from './frame.ts';
import { home } from './home.ts';
import { signIn } from './sign-in.ts';
import { states } from './states.ts';

export const en = { errors, frame, home, signIn, states } as const;
