// The platform's DurableObject, typed without its optional handlers: `connect(socket)` among them is for raw TCP,
// and a Replica's `connect(request)` is another thing.

import { DurableObject } from "cloudflare:workers";

export declare abstract class ObjectBase<T> implements Rpc.DurableObjectBranded {
  [Rpc.__DURABLE_OBJECT_BRAND]: never;
  protected ctx: DurableObjectState;
  protected env: T;
  constructor(ctx: DurableObjectState, env: T);
}

export const Base = DurableObject as unknown as typeof ObjectBase;
