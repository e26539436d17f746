# workerd's side of the benchmark: the same Counter as counter.dolmen.js, kept in SQLite on the local disk.
# The bench gives the port (--socket-addr http=...) and the storage folder (--directory-path disk=...).
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .counter),
    (name = "disk", disk = (writable = true)),
  ],
  sockets = [ (name = "http", http = (), service = "main") ],
);

const counter :Workerd.Worker = (
  modules = [ (name = "counter.workerd.js", esModule = embed "counter.workerd.js") ],
  compatibilityDate = "2026-11-01",
  durableObjectNamespaces = [
    # Else an object idle for 10 s is evicted, and the memory rows could not count ten thousand of them at once.
    (className = "Counter", uniqueKey = "bench-Counter", enableSql = true, preventEviction = true),
  ],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [ (name = "COUNTER", durableObjectNamespace = "Counter") ],
);
