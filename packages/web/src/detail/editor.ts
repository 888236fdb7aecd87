/** The editor for YAML: CodeMirror with the colours of the theme, and two versions side by side. Loaded only where it is needed. */
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  HighlightStyle,
  indentUnit,
  syntaxHighlighting,
} from '@codemirror/language';
import { MergeView } from '@codemirror/merge';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { EditorState, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import i18next from 'i18next';
import type { Definitions } from '../edit/definitions.ts';
import { yamlHelp } from './yaml-help.ts';

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--accent)' },
  { tag: [tags.string, tags.content], color: 'var(--ink)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--ok)' },
  { tag: tags.comment, color: 'var(--dim)', fontStyle: 'italic' },
  { tag: [tags.meta, tags.labelName, tags.typeName], color: 'var(--warn)' },
]);

const look = EditorView.theme({
  '&': { backgroundColor: 'var(--surface)', color: 'var(--ink)', fontSize: '12.5px', blockSize: '100%' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '19px' },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--dim)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in oklab, var(--hover) 60%, transparent)' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-selectionBackground, &.cm-focused .cm-selectionBackground': { backgroundColor: 'var(--chosen) !important' },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', color: 'var(--ink)', border: '1px solid var(--line-strong)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--accent)', color: 'var(--on-accent)' },
  '.cm-completionDetail': { color: 'inherit', opacity: '0.8', fontStyle: 'normal' },
  '.cm-panels': { backgroundColor: 'var(--raised)', color: 'var(--ink)' },
  '.cm-changedLine': { backgroundColor: 'var(--warn-soft) !important' },
  '.cm-collapsedLines': { background: 'var(--sunken)', color: 'var(--dim)' },
  '.cm-collapsedLines::before, .cm-collapsedLines::after': { content: '"···" !important' },
});

/** Drawn, not written: not every font has the characters for it. */
function foldMark(open: boolean): HTMLElement {
  const mark = document.createElement('span');
  mark.className = `fold-mark${open ? ' open' : ''}`;
  return mark;
}

/** What the editor itself says, in the language of the page. */
function phrases(): Extension {
  const names = [
    '$ unchanged lines',
    'Find',
    'next',
    'previous',
    'all',
    'match case',
    'regexp',
    'by word',
    'close',
    'Fold line',
    'Unfold line',
  ];
  return EditorState.phrases.of(
    Object.fromEntries(names.map(name => [name, i18next.t(`editor.${name.replace(/[^A-Za-z]+(\w?)/g, '$1')}`)])),
  );
}

function shared(label: string): Extension[] {
  const nonce = document.querySelector<HTMLElement>('meta[property="csp-nonce"]')?.nonce ?? '';
  return [
    EditorView.cspNonce.of(nonce),
    EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
    phrases(),
    lineNumbers(),
    foldGutter({ markerDOM: foldMark }),
    drawSelection(),
    bracketMatching(),
    indentUnit.of('  '),
    yaml(),
    syntaxHighlighting(colours),
    highlightSelectionMatches(),
    search({ top: true }),
    look,
  ];
}

/** Escape, then Tab, leaves it: Tab alone indents. */
const keys = keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap, ...foldKeymap, indentWithTab]);

export interface EditorOptions {
  readonly text: string;
  readonly label: string;
  readonly isReadOnly: boolean;
  readonly definitions: () => Definitions | undefined;
  readonly onChange: (text: string) => void;
}

export function openEditor(
  parent: HTMLElement,
  { text, label, isReadOnly, definitions, onChange }: EditorOptions,
): EditorView {
  const told = EditorView.updateListener.of(update => {
    if (update.docChanged) onChange(update.state.doc.toString());
  });
  const extensions = [
    ...shared(label),
    history(),
    highlightActiveLine(),
    yamlHelp(definitions),
    keys,
    EditorState.readOnly.of(isReadOnly),
    told,
  ];
  return new EditorView({ parent, state: EditorState.create({ doc: text, extensions }) });
}

export interface MergeOptions {
  readonly before: string;
  readonly after: string;
  readonly labels: readonly [string, string];
}

/** Two versions side by side; what is the same in both is folded. */
export function openMerge(parent: HTMLElement, { before, after, labels }: MergeOptions): MergeView {
  const side = (doc: string, label: string) => ({
    doc,
    extensions: [...shared(label), EditorState.readOnly.of(true)],
  });
  return new MergeView({
    parent,
    a: side(before, labels[0]),
    b: side(after, labels[1]),
    collapseUnchanged: { margin: 3, minSize: 6 },
    gutter: true,
  });
}
