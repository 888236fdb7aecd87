/** Simplified Chinese: the files of a container. */
import type { files as en } from '../en/files.ts';
import type { SameKeys } from '../same-keys.ts';

export const files: SameKeys<typeof en> = {
  path: '文件夹',
  upload: '上传',
  archive: '打包下载文件夹',
  size: '大小',
  modified: '修改时间',
  empty: '这里没有内容',
  emptyHint: '将文件拖放到此处，或点击“上传”。',
  sent: '{{sent}} / {{size}}',
  stop: '停止上传 {{name}}',
  cutOff_other: '仅显示前 {{count}} 项。',
};
