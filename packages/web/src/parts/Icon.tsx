/** Icons: our own strokes on a grid of 16, taking the colour of the text beside them. They say nothing that the words don't. */

const paths = {
  cluster: 'M8 1.8 13.6 5v6L8 14.2 2.4 11V5zM2.4 5 8 8.2 13.6 5M8 8.2v6',
  node: 'M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.01M5 11h.01',
  workload: 'M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z',
  network: 'M8 2.5v4M3.5 13.5v-3.5h9v3.5M8 6.5V10M6.2 1.5h3.6v2H6.2zM1.8 12.5h3.4v2H1.8zM10.8 12.5h3.4v2h-3.4z',
  storage:
    'M2.5 4c0-1.2 2.5-2 5.5-2s5.5.8 5.5 2-2.5 2-5.5 2-5.5-.8-5.5-2zM2.5 4v8c0 1.2 2.5 2 5.5 2s5.5-.8 5.5-2V4M2.5 8c0 1.2 2.5 2 5.5 2s5.5-.8 5.5-2',
  config:
    'M2 4.5h7M12.5 4.5H14M2 11.5h1.5M7 11.5h7M10.7 6.3a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6zM5.3 13.3a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6z',
  access: 'M8 1.8 13 3.6v4c0 3.2-2 5.4-5 6.6-3-1.2-5-3.4-5-6.6v-4zM6 8l1.5 1.5L10.2 6.6',
  more: 'M3 8a.4.4 0 1 0 .8 0 .4.4 0 1 0-.8 0M7.6 8a.4.4 0 1 0 .8 0 .4.4 0 1 0-.8 0M12.2 8a.4.4 0 1 0 .8 0 .4.4 0 1 0-.8 0',
  overview: 'M2 13.5V9M6 13.5v-8M10 13.5v-6M14 13.5v-11',
  event: 'M8 4.5V8l2.2 2.2M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4z',
  users:
    'M6 8a2.6 2.6 0 1 0 0-5.2A2.6 2.6 0 0 0 6 8zM1.5 13.6c.3-2.4 2.2-3.8 4.5-3.8s4.2 1.4 4.5 3.8M11 3.2a2.4 2.4 0 0 1 0 4.6M12.2 10.2c1.3.5 2.1 1.7 2.3 3.4',
  key: 'M10.6 9A3.8 3.8 0 1 0 7 5.8M7 5.8 1.8 11v3h3v-1.6h1.6v-1.6L9 8.6M11 4.8h.01',
  settings:
    'M8 10.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4zM8 1.8v2M8 12.2v2M1.8 8h2M12.2 8h2M3.6 3.6 5 5M11 11l1.4 1.4M12.4 3.6 11 5M5 11l-1.4 1.4',
  search: 'M7 11.8A4.8 4.8 0 1 0 7 2.2a4.8 4.8 0 0 0 0 9.6zM10.6 10.6 14 14',
  plus: 'M8 3v10M3 8h10',
  close: 'M4 4l8 8M12 4l-8 8',
  check: 'M3 8.5 6.3 12 13 4.5',
  down: 'M4 6l4 4 4-4',
  up: 'M4 10l4-4 4 4',
  right: 'M6 4l4 4-4 4',
  pin: 'M6 2h4l-.5 4.5 2.5 2.5H4L6.5 6.5zM8 9v5',
  menu: 'M2 4h12M2 8h12M2 12h12',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  edit: 'M2.5 13.5l.8-3.2 7.5-7.5 2.4 2.4-7.5 7.5z',
  trash: 'M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.6 9h6.8l.6-9M6.7 7v4M9.3 7v4',
  logs: 'M3 3h10M3 6.3h7M3 9.6h10M3 13h5',
  terminal: 'M2 3h12v10H2zM4.5 6l2 2-2 2M8 10h3',
  pause: 'M5.5 3v10M10.5 3v10',
  play: 'M4.5 2.8v10.4L13 8z',
  restart: 'M13.2 8a5.2 5.2 0 1 1-1.6-3.8M13.2 2v2.8h-2.8',
  scale: 'M2.5 13.5v-4M2.5 13.5h4M2.5 13.5l5-5M13.5 2.5v4M13.5 2.5h-4M13.5 2.5l-5 5',
  download: 'M8 2v8M4.8 7 8 10.2 11.2 7M2.5 13.5h11',
  undo: 'M5.5 3 2.5 6l3 3M2.8 6H9a4 4 0 0 1 0 8H6',
  folder: 'M2 4h4l1.5 1.5H14v7.5H2z',
  file: 'M4 2h5l3 3v9H4zM9 2v3h3',
  upload: 'M8 10V2M4.8 5 8 1.8 11.2 5M2.5 13.5h11',
  save: 'M3 3h8l2 2v8H3zM5.5 3v3.5h5V3M5 13V9.5h6V13',
  ok: 'M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4zM5.2 8.2l2 2 3.7-4.2',
  bad: 'M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4zM8 4.8v4M8 11.2h.01',
  busy: 'M8 1.8v2.4M8 11.8v2.4M1.8 8h2.4M11.8 8h2.4M3.6 3.6l1.7 1.7M10.7 10.7l1.7 1.7M3.6 12.4l1.7-1.7M10.7 5.3l1.7-1.7',
  idle: 'M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4zM5 8h6',
  person: 'M8 7.6a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 0 0 0 5.8zM2.6 14.2c.4-2.9 2.6-4.6 5.4-4.6s5 1.7 5.4 4.6',
  help: 'M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4zM6.1 6.3C6.3 5.2 7 4.7 8 4.7c1.1 0 1.9.6 1.9 1.6 0 1.5-1.9 1.5-1.9 2.9M8 11.3h.01',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, className = '' }: { readonly name: IconName; readonly className?: string }) {
  return (
    <svg className={`icon ${className}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}

export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <rect width="24" height="24" rx="6" />
      <path d="M4.5 17V7h3.2a5 5 0 0 1 0 10z" />
      <circle cx="18" cy="8" r="1.7" />
      <circle cx="19.4" cy="12.4" r="1.3" />
      <circle cx="17.8" cy="16.2" r="1" />
    </svg>
  );
}
