/** Fonts for pictures: only those of one package, so that what else a machine has does not change how text looks and breaks. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const dir = '/usr/share/fonts/opentype/noto';
const families = { sans: 'Noto Sans CJK SC', mono: 'Noto Sans Mono CJK SC' };

/** Why pictures can't be taken here, where that is so. */
export const missingFonts = (): string | undefined =>
  existsSync(join(dir, 'NotoSansCJK-Regular.ttc'))
    ? undefined
    : 'the fonts of the package fonts-noto-cjk are not there';

export interface PictureFonts extends AsyncDisposable {
  /** Lets a program see them and no others. */
  readonly env: Readonly<Record<string, string>>;
}

export async function openFonts(): Promise<PictureFonts> {
  const place = await mkdtemp(join(tmpdir(), 'drover-fonts-'));
  const alias = (wanted: string, family: string) =>
    `<match target="pattern"><test name="family"><string>${wanted}</string></test>` +
    `<edit name="family" mode="assign" binding="strong"><string>${family}</string></edit></match>`;
  const file = join(place, 'fonts.conf');
  await writeFile(
    file,
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${dir}</dir><cachedir>${place}</cachedir>` +
      ['system-ui', 'sans-serif', 'serif'].map(wanted => alias(wanted, families.sans)).join('') +
      ['ui-monospace', 'monospace'].map(wanted => alias(wanted, families.mono)).join('') +
      '<match target="font"><edit name="hinting"><bool>false</bool></edit><edit name="rgba"><const>none</const></edit></match>' +
      '</fontconfig>\n',
  );
  return {
    env: { FONTCONFIG_FILE: file },
    [Symbol.asyncDispose]: () => rm(place, { recursive: true, force: true }),
  };
}
