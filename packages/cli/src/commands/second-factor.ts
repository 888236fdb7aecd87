/** second-factor: one's own code by time, beside the password: seen, turned on with a phone, turned off; and taken off somebody who lost it. */
import { badRequest } from '@drover/base';
import { type GlobalFlags, openContext } from '../context.ts';
import { say } from '../messages.ts';
import { printData } from '../output.ts';
import { askPassword, askText } from '../prompt.ts';

const path = '/v1-second-factor';

interface State {
  readonly enabled: boolean;
  readonly recoveryCodesLeft: number;
  readonly securityKeys: readonly { readonly name: string }[];
}

export async function showSecondFactor(flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const state = await context.client.get<State>(path);
  if (context.format !== 'table') return printData(state, context.format);
  const text = state.enabled
    ? say('secondFactorOn', { count: String(state.recoveryCodesLeft) })
    : say('secondFactorNone');
  const keys = state.securityKeys.map(({ name }) => say('securityKey', { name }));
  process.stdout.write(`${[text, ...keys].join('\n')}\n`);
}

export async function enableSecondFactor(flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const password = await askPassword(say('password'), 'a terminal');
  const { client } = context;
  const begun = await client.request<{ secret: string; uri: string }>('POST', `${path}?action=begin`, { password });
  process.stderr.write(`${say('secondFactorKey')}\n\n  ${begun.uri}\n  ${begun.secret}\n\n`);
  const code = await askText(say('secondFactorCode'), 'a terminal');
  const { recoveryCodes } = await client.request<{ recoveryCodes: readonly string[] }>(
    'POST',
    `${path}?action=confirm`,
    { code },
  );
  process.stderr.write(`${say('secondFactorKeep')}\n\n`);
  process.stdout.write(`${recoveryCodes.join('\n')}\n`);
}

export async function disableSecondFactor(flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const password = await askPassword(say('password'), 'a terminal');
  const otp = await askText(say('secondFactorCode'), 'a terminal');
  await context.client.request('POST', `${path}?action=disable`, { password, otp });
  process.stderr.write(`${say('secondFactorGone')}\n`);
}

export async function resetSecondFactor(wanted: string, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const users = await context.client.list('users');
  const user = users.find(one => one.id === wanted || one['username'] === wanted);
  if (!user) throw badRequest(`there is no user "${wanted}" among those you see`);
  await context.client.request('POST', `${path}?action=reset`, { userId: user.id });
  process.stderr.write(`${say('secondFactorGone')}\n`);
}
