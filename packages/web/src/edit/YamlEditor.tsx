/** A text of YAML to be edited, with the help of what its kind's fields are; the text comes back with every change. */
import type { EditorView } from '@codemirror/view';
import { useEffect, useRef } from 'react';
import { openEditor } from '../detail/editor.ts';
import type { Definitions } from './definitions.ts';

export interface YamlEditorProps {
  readonly text: string;
  readonly label: string;
  readonly isReadOnly?: boolean;
  readonly definitions: Definitions | undefined;
  readonly onChange: (text: string) => void;
}

export function YamlEditor({ text, label, isReadOnly = false, definitions, onChange }: YamlEditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView>(undefined);
  const told = useRef({ onChange, definitions });
  told.current = { onChange, definitions };
  const first = useRef(text);
  useEffect(() => {
    const made = openEditor(place.current!, {
      text: first.current,
      label,
      isReadOnly,
      definitions: () => told.current.definitions,
      onChange: next => told.current.onChange(next),
    });
    editor.current = made;
    return () => made.destroy();
  }, [label, isReadOnly]);
  // A text that did not come from here takes the place of what is there.
  useEffect(() => {
    const view = editor.current;
    if (!view || view.state.doc.toString() === text) return;
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
  }, [text]);
  return <div ref={place} className="editor" />;
}
