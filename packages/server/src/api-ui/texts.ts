/** The words of the pages, in English and Chinese. Names of types and fields stay as they are: they are what programs use. */

export interface Texts {
  readonly lang: string;
  readonly title: string;
  readonly types: string;
  readonly findType: string;
  readonly schema: string;
  readonly schemas: string;
  readonly openApi: string;
  readonly signIn: string;
  readonly signInLead: string;
  readonly signOut: string;
  readonly username: string;
  readonly password: string;
  readonly create: string;
  readonly edit: string;
  readonly delete: string;
  readonly deleteWarning: string;
  readonly actions: string;
  readonly links: string;
  readonly fields: string;
  readonly emptyFields: string;
  readonly methods: string;
  readonly field: string;
  readonly type: string;
  readonly rules: string;
  readonly form: string;
  readonly request: string;
  readonly send: string;
  readonly cancel: string;
  readonly close: string;
  readonly open: string;
  readonly answer: string;
  readonly noInput: string;
  readonly noFields: string;
  readonly moreFields: string;
  readonly required: string;
  readonly onCreateOnly: string;
  readonly readOnly: string;
  readonly defaultIs: string;
  readonly perLine: string;
  readonly pairPerLine: string;
  readonly asJson: string;
  readonly notJson: string;
  readonly filter: string;
  readonly addFilter: string;
  readonly removeFilter: string;
  readonly value: string;
  readonly comparisons: Readonly<Record<'eq' | 'ne' | 'in' | 'notin', string>>;
  readonly nothing: string;
  readonly nothingFits: string;
  readonly count: (shown: number, total: number) => string;
  readonly first: string;
  readonly previous: string;
  readonly next: string;
  readonly last: string;
  readonly fromTerminal: string;
  readonly copy: string;
  readonly copied: string;
  readonly failed: string;
  readonly goHome: string;
  readonly yes: string;
  readonly no: string;
}

const en: Texts = {
  lang: 'en',
  title: 'Drover API',
  types: 'Types',
  findType: 'Find a type',
  schema: 'Schema',
  schemas: 'Schemas',
  openApi: 'OpenAPI document',
  signIn: 'Sign in',
  signInLead: 'This API is for users of this server.',
  signOut: 'Sign out',
  username: 'User name',
  password: 'Password',
  create: 'Create',
  edit: 'Edit',
  delete: 'Delete',
  deleteWarning: 'This cannot be undone.',
  actions: 'Actions',
  links: 'Links',
  fields: 'Fields',
  emptyFields: 'Fields without a value',
  methods: 'Methods',
  field: 'Field',
  type: 'Type',
  rules: 'Rules',
  form: 'Form',
  request: 'The same from a terminal',
  send: 'Send',
  cancel: 'Cancel',
  close: 'Close',
  open: 'Open it',
  answer: 'Answer',
  noInput: 'This action takes no input.',
  noFields: 'Nothing of it can be changed.',
  moreFields: 'More fields',
  required: 'required',
  onCreateOnly: 'set on create',
  readOnly: 'read only',
  defaultIs: 'default',
  perLine: 'one per line',
  pairPerLine: 'key=value, one per line',
  asJson: 'JSON',
  notJson: 'This is not valid JSON.',
  filter: 'Filter',
  addFilter: 'Add filter',
  removeFilter: 'Remove this filter',
  value: 'Value',
  comparisons: { eq: 'is', ne: 'is not', in: 'is one of', notin: 'is none of' },
  nothing: 'There are none yet.',
  nothingFits: 'None fits the filters.',
  count: (shown, total) => (shown === total ? `${total}` : `${shown} of ${total}`),
  first: 'First',
  previous: 'Previous',
  next: 'Next',
  last: 'Last',
  fromTerminal: 'From a terminal',
  copy: 'Copy',
  copied: 'Copied',
  failed: 'The server could not be reached.',
  goHome: 'To the start of the API',
  yes: 'yes',
  no: 'no',
};

const zh: Texts = {
  lang: 'zh-CN',
  title: 'Drover API',
  types: '类型',
  findType: '查找类型',
  schema: '模式',
  schemas: '全部模式',
  openApi: 'OpenAPI 文档',
  signIn: '登录',
  signInLead: '此 API 仅供本服务器的用户使用。',
  signOut: '退出登录',
  username: '用户名',
  password: '密码',
  create: '新建',
  edit: '编辑',
  delete: '删除',
  deleteWarning: '此操作无法撤销。',
  actions: '操作',
  links: '链接',
  fields: '字段',
  emptyFields: '没有值的字段',
  methods: '方法',
  field: '字段',
  type: '类型',
  rules: '规则',
  form: '表单',
  request: '在终端执行同样的请求',
  send: '发送',
  cancel: '取消',
  close: '关闭',
  open: '打开',
  answer: '返回结果',
  noInput: '此操作无需输入。',
  noFields: '没有可以修改的字段。',
  moreFields: '更多字段',
  required: '必填',
  onCreateOnly: '仅创建时设置',
  readOnly: '只读',
  defaultIs: '默认值',
  perLine: '每行一个',
  pairPerLine: '每行一个 键=值',
  asJson: 'JSON',
  notJson: '不是有效的 JSON。',
  filter: '筛选',
  addFilter: '添加筛选',
  removeFilter: '移除此筛选',
  value: '值',
  comparisons: { eq: '等于', ne: '不等于', in: '属于', notin: '不属于' },
  nothing: '暂无数据。',
  nothingFits: '没有符合筛选条件的数据。',
  count: (shown, total) => (shown === total ? `共 ${total} 项` : `显示 ${shown} 项，共 ${total} 项`),
  first: '首页',
  previous: '上一页',
  next: '下一页',
  last: '末页',
  fromTerminal: '在终端中',
  copy: '复制',
  copied: '已复制',
  failed: '无法连接服务器。',
  goHome: '返回 API 首页',
  yes: '是',
  no: '否',
};

/** By the browser's first language. */
export function textsFor(acceptLanguage: string | undefined): Texts {
  return /^\s*zh\b/i.test(acceptLanguage ?? '') ? zh : en;
}
