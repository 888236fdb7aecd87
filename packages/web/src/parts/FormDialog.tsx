/** A dialog with a form: what is entered is sent, a refusal is shown where it was entered, and success closes it. */
import { type FormEvent, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from './Dialog.tsx';
import { FormError } from './Notices.tsx';

export interface FormDialogProps {
  readonly title: string;
  readonly submit: string;
  readonly onClose: () => void;
  /** What is thrown is shown; `true` keeps the dialog open, for what has more to say. */
  readonly onSubmit: (form: FormData) => Promise<unknown>;
  readonly children: ReactNode;
}

export function FormDialog({ title, submit, onClose, onSubmit, children }: FormDialogProps) {
  const { t } = useTranslation();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const run = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setError(undefined);
    setBusy(true);
    try {
      if ((await onSubmit(form)) !== true) onClose();
    } catch (refused) {
      setError(refused);
    }
    setBusy(false);
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={event => void run(event)}>
        {children}
        <FormError error={error} />
        <footer>
          <button type="button" onClick={onClose}>
            {t('frame.cancel')}
          </button>
          <button type="submit" className="primary" disabled={busy}>
            {submit}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
