/** Simplified Chinese: what keeps hosts from being made nodes: how they are reached, and what they lack. */
import type { Catalogue } from '../said/say.ts';

export const hosts: Catalogue = {
  "{1} can't be looked at: {2}": '无法检查 {1}：{2}',
  'exit {1}': '退出码 {1}',
  'exit code {1}': '退出码 {1}',
  'curl ended with {1}': 'curl 以 {1} 结束',
  'its first process is {1}; it needs systemd': '1 号进程是 {1}；需要 systemd',
  'systemd is {1}; it has to be running': 'systemd 的状态为 {1}；必须处于 running 状态',
  'not answering': '无响应',
  'it is {1}; the bundle is for {2}': '主机架构为 {1}；安装包适用于 {2}',
  'its kernel is {1}; 4.19 or newer is needed': '内核版本为 {1}；需要 4.19 或更高版本',
  '{1} is not among those that are known to work': '{1} 不在已验证的操作系统之列',
  'its system': '其操作系统',
  'without the control groups {1}': '缺少控制组（cgroup）：{1}',
  'not installed: {1}': '未安装：{1}',
  'swap is on and fail_swap_on is set: switch it off, or leave fail_swap_on out':
    '已启用交换分区，但设置了 fail_swap_on：请关闭交换分区，或去掉 fail_swap_on',
  '{1} MiB of memory; {2} MiB or more is wise for {3}': '内存为 {1} MiB；{3} 角色建议至少 {2} MiB',
  'no interface has {1}; set internal_address to one of {2}':
    '没有网络接口使用地址 {1}；请将 internal_address 设为下列之一：{2}',
  'those that it has': '主机已有的地址',
  'another Kubernetes runs on it: {1}': '主机上正在运行另一个 Kubernetes：{1}',
  "{1} is active; pods need it to let the cluster's ports and forwarded packets pass":
    '{1} 已启用；它需要放行集群端口和转发的数据包，Pod 才能通信',
  "{1} is another pod network's; remove it": '{1} 属于另一个 Pod 网络；请移除',
  'files of another cluster are on it: {1}': '主机上有另一个集群的文件：{1}',
  'its kernel has no overlay file system (module overlay)': '内核不支持 overlay 文件系统（overlay 模块）',
  'its kernel makes no VXLAN interface (module vxlan)': '内核无法创建 VXLAN 接口（vxlan 模块）',
  'iptables has no NAT table (modules nf_nat, nf_tables or iptable_nat)':
    'iptables 没有 NAT 表（nf_nat、nf_tables 或 iptable_nat 模块）',
  'nft does not work, which enforces network policies (module nf_tables)':
    'nft 无法工作，而网络策略依赖它（nf_tables 模块）',
  'packets between pods of one node pass no rules (module br_netfilter); they are masqueraded instead{1}':
    '同一节点上 Pod 之间的数据包不经过规则（缺少 br_netfilter 模块）；将改用地址伪装{1}',
  ', and network policies do not hold between them': '，且网络策略对它们之间的通信不生效',
  '{1} are free in /opt; the bundle takes {2}': '/opt 剩余空间为 {1}；安装包需要 {2}',
  '{1} are free in /var/lib; {2} are needed': '/var/lib 剩余空间为 {1}；需要 {2}',
  '{1} are free in /var/lib; images and logs of pods want 5 GiB or more':
    '/var/lib 剩余空间为 {1}；镜像和 Pod 日志建议至少 5 GiB',
  'ahead of': '快于',
  behind: '慢于',
  "its clock is {1} s {2} this machine's; certificates and etcd need them together":
    '主机时钟{2}本机 {1} 秒；证书和 etcd 要求时钟一致',
  'the kernel': '内核',
  '{1}/{2} ({3}) is in use by {4}': '端口 {1}/{2}（{3}）已被 {4} 占用',
  'its name is "{1}"; give it one of its own': '主机名为“{1}”；请为它设置独有的主机名',
  'its own name {1} has no address on it (/etc/hosts)': '主机名 {1} 在本机无法解析（/etc/hosts）',
  '/etc/machine-id is empty: run systemd-machine-id-setup': '/etc/machine-id 为空：请运行 systemd-machine-id-setup',
  'it knows no nameserver: pods will find names of the cluster only':
    '主机没有配置 DNS 服务器：Pod 只能解析集群内的名称',
  "its nameserver {1} is its own loopback, which pods can't reach": 'DNS 服务器 {1} 是主机的回环地址，Pod 无法访问',
  'clean the host first (`drover rke remove` with the files of that cluster, or by hand)':
    '请先清理主机（用该集群的文件运行 `drover rke remove`，或手动清理）',
  "it belongs to another cluster (/etc/kubernetes/ssl/kube-ca.pem is not this one's): {1}":
    '主机属于另一个集群（/etc/kubernetes/ssl/kube-ca.pem 不是本集群的）：{1}',
  "/var/lib/etcd holds another cluster's data: {1}": '/var/lib/etcd 中是另一个集群的数据：{1}',
  '{1} has the same address {2}': '与 {1} 的地址 {2} 相同',
  '{1} has the same internal address {2}': '与 {1} 的内部地址 {2} 相同',
  'it is the same machine as {1}': '与 {1} 是同一台机器',
  '{1} has the same /etc/machine-id {2}: a clone; remove the file and run systemd-machine-id-setup{3}':
    '与 {1} 的 /etc/machine-id {2} 相同，应为克隆的主机；请删除该文件并运行 systemd-machine-id-setup{3}',
  '(interfaces of the pod network would get the same hardware address)': '（否则 Pod 网络接口会得到相同的硬件地址）',
  '{1} has the same hostname {2}': '与 {1} 的主机名 {2} 相同',
  'etcd between members': 'etcd 成员间通信',
  'health of kubelet': 'kubelet 健康检查',
  'health of kube-proxy': 'kube-proxy 健康检查',
  'way to all control planes': '到所有控制平面的通路',
  'health of network policies': '网络策略健康检查',
  'pod network': 'Pod 网络',
  'it does not reach {1} at {2}:{3}/{4} ({5}): {6}': '无法访问 {1} 的 {2}:{3}/{4}（{5}）：{6}',
  'nothing comes back: a firewall drops it': '没有回应：数据包被防火墙丢弃',
  'what it sends does not arrive': '发出的数据包未能到达',
  "{1}: ways to it can't be tried: {2}": '{1}：无法测试到它的网络：{2}',
  'the connection to its agent is lost': '与主机代理的连接已断开',
  'it did not say why': '没有说明原因',
  '{1}: the connection to its agent is lost': '{1}：与主机代理的连接已断开',
  'its agent is not connected (on the host: journalctl -u drover-node-agent)':
    '主机代理未连接（可在主机上查看：journalctl -u drover-node-agent）',
  '{1}: {2} could not be written: {3}': '{1}：无法写入 {2}：{3}',
  '{1}: {2} is larger than {3} bytes': '{1}：{2} 超过 {3} 字节',
  "{1}: {2} can't be read: {3}": '{1}：无法读取 {2}：{3}',
  'what arrived has the checksum $found, expected is {1}': '收到的内容校验和为 $found，应为 {1}',
  '{1}: there is no ssh-agent (SSH_AUTH_SOCK is not set)': '{1}：没有 ssh-agent（未设置 SSH_AUTH_SOCK）',
  '{1}: needs a private key, or an ssh-agent': '{1}：需要私钥或 ssh-agent',
  '{1}: the host key has changed: it is {2} and was {3}. Somebody else may answer there; if the host was made anew, forget its old key and try again':
    '{1}：主机密钥已改变：现为 {2}，原为 {3}。应答的可能是另一台机器；如果主机是重新安装的，请移除旧密钥后重试',
  '{1}: its host key {2} is not known': '{1}：不认识其主机密钥 {2}',
  '{1}: the private key has a passphrase; use ssh-agent, or a key without':
    '{1}：私钥设有口令；请使用 ssh-agent 或没有口令的私钥',
  "{1}: the private key can't be read: {2}": '{1}：无法读取私钥：{2}',
  '{1}: sshd at {2} does not let {3} in with this key: see its authorized_keys':
    '{1}：{2} 上的 sshd 不允许 {3} 用此密钥登录：请检查其 authorized_keys',
  'the ssh-agent does not answer': 'ssh-agent 没有响应',
  'sshd at {1} does not answer': '{1} 上的 sshd 没有响应',
  'there is no address for {1}': '找不到 {1} 的地址',
  'nothing listens at {1}': '{1} 没有服务在监听',
  'there is no way to {1}': '无法到达 {1}',
  'what listens at {1} ends the SSH handshake': '{1} 上的服务中止了 SSH 握手',
  'no SSH connection to {1}': '无法与 {1} 建立 SSH 连接',
  'bastion {1}': '跳板机 {1}',
  'bastion {1}:{2}': '跳板机 {1}:{2}',
  '{1}: sudo wants a password of {2}; let this user run everything without one (NOPASSWD)':
    '{1}：sudo 要求 {2} 输入密码；请允许该用户免密执行所有命令（NOPASSWD）',
  '{1}: there is no sudo for {2}; install it, or let root in with this key':
    '{1}：{2} 没有 sudo；请安装 sudo，或允许 root 用此密钥登录',
  "{1}: commands of {2} don't run as root: {3}": '{1}：{2} 的命令未能以 root 身份运行：{3}',
  'uid {1}': 'uid {1}',
  '{1}: the SSH connection is lost': '{1}：SSH 连接已断开',
  '{1}: sshd opens no session: {2}': '{1}：sshd 无法打开会话：{2}',
  '{1}: sshd closed a session': '{1}：sshd 关闭了会话',
  '{1} before its end': '{1}，且会话尚未结束',
  "{1}: {2} can't be reached: {3}": '{1}：无法连接 {2}：{3}',
  '{1}: its SSH host key {2} is trusted from now on': '{1}：从现在起信任其 SSH 主机密钥 {2}',
  'it has no SSH key, and no agent that registered': '既没有 SSH 密钥，也没有已注册的代理',
  '{1}: it is sent what it can’t fetch: {2}': '{1}：它无法下载的内容改由服务器发送：{2}',
};
