/**
 * Texts in the languages of the UI: one file an area in each language's folder, English as the measure that the others are held to (by
 * the compiler, and by a test that also looks for texts that are used but nowhere written). To add one: write it in both folders.
 */
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { getPref } from '../app/prefs.ts';
import { speak } from './said/index.ts';

export type Language = 'en' | 'zh';

const loaders = {
  en: async () => (await import('./en/index.ts')).en,
  zh: async () => (await import('./zh/index.ts')).zh,
} as const;

/** In English the server speaks for itself. */
const speeches = { en: async () => undefined, zh: async () => (await import('./zh-said/index.ts')).speech() } as const;

/** What was chosen, else the first language of the browser that there is. */
export function chosenLanguage(): Language {
  const chosen = getPref('language');
  if (chosen !== 'system') return chosen;
  for (const wanted of navigator.languages) {
    if (/^zh\b/i.test(wanted)) return 'zh';
    if (/^en\b/i.test(wanted)) return 'en';
  }
  return 'en';
}

export async function startTexts(): Promise<void> {
  const language = chosenLanguage();
  const [translation, speech] = await Promise.all([loaders[language](), speeches[language]()]);
  speak(speech);
  await i18next.use(initReactI18next).init({
    lng: language,
    resources: { [language]: { translation } },
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  mark(language);
}

export async function setLanguage(language: Language): Promise<void> {
  if (!i18next.hasResourceBundle(language, 'translation'))
    i18next.addResourceBundle(language, 'translation', await loaders[language]());
  speak(await speeches[language]());
  await i18next.changeLanguage(language);
  mark(language);
}

/** Browsers choose fonts and line breaks by it, screen readers their voice. */
function mark(language: Language): void {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
}
