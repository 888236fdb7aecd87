/** The images of test clusters. The one for pods is Debian's static busybox with a link per applet. */
import { readFile } from 'node:fs/promises';
import { type ImageFile, runCommand as run, writeImage } from '@drover/engine';

export const pauseImage = 'drover.test/pause:1';
export const busyboxImage = 'drover.test/busybox:1';

/** The image that holds a pod's namespaces: our own static program and nothing else. */
export async function writePauseImage(path: string, pauseBinary: string): Promise<void> {
  const files = [{ path: 'pause', mode: 0o755, content: await readFile(pauseBinary) }];
  await writeImage(path, { name: pauseImage, files, config: { Entrypoint: ['/pause'] } });
}

/** A small world for pods: sh, tar, cat, nc, httpd, wget and all else that busybox has. */
export async function busyboxFiles(): Promise<ImageFile[]> {
  const applets = (await run('busybox', ['--list'])).trim().split('\n');
  return [
    ...['bin', 'etc', 'root', 'usr', 'usr/bin'].map(dir => ({ path: dir, directory: true })),
    { path: 'tmp', directory: true, mode: 0o1777 },
    { path: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' },
    { path: 'etc/group', content: 'root:x:0:\nnogroup:x:65534:\n' },
    {
      path: 'bin/busybox',
      mode: 0o755,
      content: await readFile((await run('sh', ['-c', 'command -v busybox'])).trim()),
    },
    ...applets.filter(name => name !== 'busybox').map(name => ({ path: `bin/${name}`, link: 'busybox' })),
  ];
}

export async function writeBusyboxImage(path: string): Promise<void> {
  const config = { Cmd: ['sh'], Env: ['PATH=/bin:/usr/bin', 'HOME=/root'] };
  await writeImage(path, { name: busyboxImage, files: await busyboxFiles(), config });
}
