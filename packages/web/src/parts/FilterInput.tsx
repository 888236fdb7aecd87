/** The field that a page's list is filtered by: the key for filtering leads to it. */

export interface FilterInputProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export function FilterInput({ label, value, onChange }: FilterInputProps) {
  return (
    <input
      type="search"
      className="filter"
      data-filter
      value={value}
      placeholder={label}
      aria-label={label}
      onChange={event => onChange(event.target.value)}
    />
  );
}
