# workerd's side of the WebSocket rows. The worker is the file sockets.mjs beside this one.
# The bench gives the port (--socket-addr http=...) and the storage folder (--directory-path disk=...).
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .sockets),
    (name = "disk", disk = (writable = true)),
  ],
  sockets = [ (name = "http", http = (), service = "main") ],
);

const sockets :Workerd.Worker = (
  modules = [ (name = "sockets.mjs", esModule = embed "sockets.mjs") ],
  compatibilityDate = "2026-11-01",
  # Objects may leave, else they would not hibernate.
  durableObjectNamespaces = [ (className = "Room", uniqueKey = "bench-Room", enableSql = true) ],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [ (name = "ROOM", durableObjectNamespace = "Room") ],
);
