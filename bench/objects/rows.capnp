# workerd's side of the module worker's rows. The worker is the file rows.mjs beside this one: the benchmark puts a
# copy of this file beside a larger worker for the row that needs one.
# The bench gives the port (--socket-addr http=...) and the storage folder (--directory-path disk=...).
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .rows),
    (name = "disk", disk = (writable = true)),
  ],
  sockets = [ (name = "http", http = (), service = "main") ],
);

const rows :Workerd.Worker = (
  modules = [ (name = "rows.mjs", esModule = embed "rows.mjs") ],
  compatibilityDate = "2026-11-01",
  durableObjectNamespaces = [
    # As in workerd.capnp: objects stay, as they do in Dolmen.
    (className = "Counter", uniqueKey = "bench-Counter", enableSql = true, preventEviction = true),
  ],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [ (name = "COUNTER", durableObjectNamespace = "Counter") ],
);
