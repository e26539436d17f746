export declare abstract class ObjectBase<T> implements Rpc.DurableObjectBranded {
    [Rpc.__DURABLE_OBJECT_BRAND]: never;
    protected ctx: DurableObjectState;
    protected env: T;
    constructor(ctx: DurableObjectState, env: T);
}
export declare const Base: typeof ObjectBase;
