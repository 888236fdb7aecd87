/**
 * The shapes of etcd's messages as the loader gives them (int64 as decimal text, bytes as Buffer), and how to read them.
 * The `.proto` beside this file has to be shipped with it.
 */
import { fileURLToPath } from 'node:url';
import { loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Entry } from '../store.ts';

export type Int64 = string | number;
export interface Header {
  readonly revision: Int64;
}
export interface KeyValue {
  readonly key: Buffer;
  readonly create_revision: Int64;
  readonly mod_revision: Int64;
  readonly value: Buffer;
}
export interface RangeResponse {
  readonly header: Header;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: Int64;
}
export interface TxnResponse {
  readonly header: Header;
  readonly succeeded: boolean;
  readonly responses: readonly {
    readonly response_range?: RangeResponse;
    readonly response_put?: { readonly prev_kv?: KeyValue | null };
    readonly response_delete_range?: { readonly deleted: Int64; readonly prev_kvs: readonly KeyValue[] };
  }[];
}
export interface WatchResponse {
  readonly header: Header;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compact_revision: Int64;
  readonly cancel_reason: string;
  readonly fragment: boolean;
  readonly events: readonly {
    readonly type: 'PUT' | 'DELETE';
    readonly kv: KeyValue;
    readonly prev_kv: KeyValue | null;
  }[];
}

const definition = loadSync(fileURLToPath(new URL('./etcd.proto', import.meta.url)), {
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
});
const loaded = loadPackageDefinition(definition)['etcdserverpb'] as unknown as Record<
  ServiceName,
  ServiceClientConstructor
>;

export type ServiceName = 'KV' | 'Watch' | 'Lease' | 'Auth' | 'Maintenance';

export function serviceClass(name: ServiceName): ServiceClientConstructor {
  return loaded[name];
}

/** The entry without the store's prefix, which takes up `skip` bytes of the key. */
export function entryOf(kv: KeyValue, skip: number): Entry {
  return {
    key: kv.key.toString('utf8', skip),
    value: kv.value.toString('utf8'),
    revision: Number(kv.mod_revision),
    created: Number(kv.create_revision),
  };
}
