//go:build wasip1

package dolmen

const (
	objectID = iota
	objectName
	objectNamespace
)

// ObjectID is the id of the object, 64 hex digits; "" in the worker.
func ObjectID() string { return string(taken(hostObjectID(objectID))) }

// ObjectName is the name of the object; "" in the worker, or if it was made without one.
func ObjectName() string { return string(taken(hostObjectID(objectName))) }

// Namespace is the namespace of the object; "" in the worker.
func Namespace() string { return string(taken(hostObjectID(objectNamespace))) }
