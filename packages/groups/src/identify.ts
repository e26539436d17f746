import type { Family, RequestID } from "./api.js";
import { Stubs, isBroken } from "./calls.js";
import { HEADER, requestId, type GroupCalls } from "./protocol.js";

/** How long the Group may take to find a place, making a Replica included. */
const GROUP_LIMIT_MS = 30_000;

/**
 * Reserves a place in the group for the request id. Returns the stub of the Replica that has it; its `fetch` carries the
 * ids. The first fetch takes the place; a further one takes one more in the same Replica, or is answered 503.
 */
export async function identify<T = any>(groupid: DurableObjectId, requestid: RequestID, family: Family<T>): Promise<DurableObjectStub> {
  const request = requestId(requestid);
  const group = groupid.toString();
  const groups = new Stubs<GroupCalls>(family.parent, () => groupid);
  // The ticket is chosen here, so that asking again, when the Group was reset, does not reserve a second place.
  const ticket = crypto.randomUUID();
  const placement = await groups.call(group, GROUP_LIMIT_MS, (stub) => stub.$reserve(request, ticket));
  const replicas = family.child as DurableObjectNamespace;
  const stub = replicas.get(replicas.idFromString(placement.replica));
  const fetch = stub.fetch.bind(stub) as (request: Request) => Promise<Response>;
  let unused = true;
  stub.fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
    const outgoing = new Request(input as RequestInfo, init);
    outgoing.headers.set(HEADER.group, group);
    outgoing.headers.set(HEADER.replica, placement.replica);
    outgoing.headers.set(HEADER.request, request);
    // A client must not choose its ticket.
    outgoing.headers.delete(HEADER.ticket);
    const first = unused;
    unused = false;
    if (first) outgoing.headers.set(HEADER.ticket, `${ticket} ${placement.fresh}`);
    try {
      return await fetch(outgoing);
    } catch (error) {
      // The Replica may have been reset before it could say that the request is there.
      if (first && isBroken(error)) await groups.call(group, GROUP_LIMIT_MS, (stub) => stub.$cancel(ticket)).catch(() => {});
      throw error;
    }
  };
  return stub;
}
