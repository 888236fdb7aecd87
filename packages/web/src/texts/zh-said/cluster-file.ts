/** Simplified Chinese: what is wrong with the description of a cluster on hosts. */
import type { Catalogue } from '../said/say.ts';

export const clusterFile: Catalogue = {
  'must be 1 to 253 characters without /, not beginning with a dot: files are named after it':
    '必须是 1 到 253 个字符，不含“/”且不以点开头：文件以它命名',
  '{1} is no version such as v1.36.3': '{1} 不是形如 v1.36.3 的版本',
  'is missing: a cluster needs at least one host': '缺失：集群至少需要一台主机',
  '{1} is the same as that of nodes[{2}]': '{1} 与 nodes[{2}] 的相同',
  'no node may have the role etcd where etcd is elsewhere': '使用外部 etcd 时，节点不能具有 etcd 角色',
  'ca_cert, cert and key are needed with it': '需要同时提供 ca_cert、cert 和 key',
  'none has the role etcd': '没有主机具有 etcd 角色',
  'none has the role controlplane': '没有主机具有 controlplane 角色',
  'none has the role worker: nothing can be scheduled': '没有主机具有 worker 角色：无法调度任何 Pod',
  '{1} etcd members bear no more losses than {2} would: take an odd number':
    '{1} 个 etcd 成员能承受的故障数并不比 {2} 个多：请使用奇数个',
  'is blank: whoever knows that reads all Secrets': '为空：知道这一点的人可以读取所有保密字典',
  'must be a count or a share such as 10%': '必须是数量或比例，例如 10%',
  'the VNI must be from 1 to 16777215': 'VNI 必须在 1 到 16777215 之间',
  'the port of VXLAN must be from 1 to 65535': 'VXLAN 端口必须在 1 到 65535 之间',
  'must be from 576 to 65535, or 0: found out': '必须在 576 到 65535 之间，或为 0（自动检测）',
  '{1} is no range of IPv4 addresses such as 10.42.0.0/16 (one range: no dual stack)':
    '{1} 不是形如 10.42.0.0/16 的 IPv4 地址段（只支持一个地址段，不支持双栈）',
  '{1} has the address of nodes[{2}], {3}': '{1} 包含 nodes[{2}] 的地址 {3}',
  'pods and services share addresses': 'Pod 与服务的地址段重叠',
  '{1} is not in {2}': '{1} 不在 {2} 之内',
  'must be such as 30000-32767': '必须形如 30000-32767',
  'must be at least 1': '不能小于 1',
  '{1} is no name of a bucket': '{1} 不是有效的存储桶名称',
  'must be a host with or without a port, such as s3.example.org:9000':
    '必须是主机名或地址，可带端口，例如 s3.example.org:9000',
  'is without TLS: whoever listens reads snapshots': '未使用 TLS：快照可能被窃听',
  'is missing beside the other (neither: the role of the host)': '两者须同时提供（都不提供则使用主机的角色）',
  'must be a path without dots alone, such as clusters/prod': '必须是不含“.”或“..”路径段的路径，例如 clusters/prod',
  'is no PEM certificate': '不是 PEM 格式的证书',
  'is missing: where the host is reached': '缺失：主机的访问地址',
  'is missing: who signs in over SSH, root or somebody with sudo': '缺失：SSH 登录用户，root 或具有 sudo 权限的用户',
  'is missing: any of etcd, controlplane, worker': '缺失：etcd、controlplane、worker 中的至少一项',
  'is missing: the private key that lets the server in': '缺失：服务器登录主机所用的私钥',
  '{1} is none of etcd, controlplane, worker': '{1} 不是 etcd、controlplane 或 worker',
  '{1} is no name for a node: lower-case letters, digits, - and .':
    '{1} 不能用作节点名称：只能包含小写字母、数字、“-”和“.”',
  '{1} is this server itself, or leads nowhere': '{1} 是本服务器自身，或无法到达',
  "{1} can't be read: {2}": '无法读取 {1}：{2}',
  "can't be read: {1}": '无法读取：{1}',
  'has no key': '没有键',
  'its effect must be NoSchedule, PreferNoSchedule or NoExecute':
    '污点的效果必须是 NoSchedule、PreferNoSchedule 或 NoExecute',
  '{1}:{2} is there twice': '{1}:{2} 重复出现',
  'cluster file': '集群文件',
  'it is not YAML: {1}': '不是 YAML：{1}',
  'no ingress controller is installed: ingress-nginx has ended; bring one of your own, and say none here':
    '不会安装 Ingress 控制器：ingress-nginx 已停止维护；请自行安装，并在此填写 none',
  'does nothing: backup_config says when snapshots are taken and kept':
    '不起作用：快照的时间和保留由 backup_config 决定',
  'does nothing: kubelets always have one of the cluster': '不起作用：kubelet 始终使用集群签发的证书',
  'does nothing: kube-api says {1}': '不起作用：kube-api 中指定了 {1}',
  'does nothing: it has no address': '不起作用：没有地址',
  'does nothing: enabled is not true beside it': '不起作用：同级的 enabled 不是 true',
  "{1} is no part of Kubernetes any more: say external, and install the cloud's own controller":
    '{1} 已不再是 Kubernetes 的一部分：请填写 external，并安装云厂商自己的控制器',
  'its settings do nothing here: give them to the cloud controller that you install':
    '这些设置在此不起作用：请在您安装的云控制器中设置',
  'must be x509 or x509|webhook': '必须是 x509 或 x509|webhook',
  'must be privileged or restricted': '必须是 privileged 或 restricted',
  'must be rbac or none': '必须是 rbac 或 none',
  'must be an EncryptionConfiguration: kind, and resources, each with resources and providers':
    '必须是 EncryptionConfiguration：包含 kind 和 resources，后者每项含有 resources 和 providers',
  'calico is not installed: the network is VXLAN between nodes, with the policies of Kubernetes alone':
    '不会安装 calico：节点间使用 VXLAN 网络，只支持 Kubernetes 自身的网络策略',
  "{1} can't be had; canal, flannel (both VXLAN here) and none can":
    '不支持 {1}；可用 canal、flannel（均为 VXLAN）或 none',
  'only the backend vxlan can be had, not {1}': '只支持 vxlan 后端，不支持 {1}',
  '{1} has ended: CoreDNS is installed': '{1} 已停止维护：将安装 CoreDNS',
  'must be metrics-server or none': '必须是 metrics-server 或 none',
  'is a URL: fetch it, look at it and name the file': '是 URL：请先下载并检查，再填写文件名',
  'must be a map of options': '必须是选项的映射',
  'there is no such option{1}': '没有此选项{1}',
  '; did you mean {1}?': '；是否想写 {1}？',
  'is there in two spellings of {1}: keep one': '{1} 以两种写法同时出现：请保留一个',
  'must be a list of texts': '必须是文本列表',
  'must be a map of texts': '必须是文本的映射',
  'must be a map of lists': '必须是列表的映射',
  'must be one line, without control characters': '必须是单行，不含控制字符',
  'can’t be taken away: delete the cluster instead': '不能去掉：如不再需要，请删除集群',
  'can’t be given to a cluster that was imported': '不能用于导入的集群',
  'can’t be had: a server reads no keys from its disk for others; give sshKey itself':
    '不支持：服务器不会替他人读取磁盘上的密钥；请直接提供 sshKey',
  'can’t be had: give sshCert itself': '不支持：请直接提供 sshCert',
  'can’t be had: a server lends nobody its SSH agent; give sshKey':
    '不支持：服务器不会出借自己的 SSH 代理；请提供 sshKey',
  'can’t be had: put the manifests into addons': '不支持：请将清单放入 addons',
};
