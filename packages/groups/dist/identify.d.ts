import type { Family, RequestID } from "./api.js";
/**
 * Reserves a place in the group for the request id. Returns the stub of the Replica that has it; its `fetch` carries the
 * ids. The first fetch takes the place; a further one takes one more in the same Replica, or is answered 503.
 */
export declare function identify<T = any>(groupid: DurableObjectId, requestid: RequestID, family: Family<T>): Promise<DurableObjectStub>;
