//! One namespace: a unique key, its folder, and the databases of its objects.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::database::Database;
use crate::folder::Folder;
use crate::id::{NamespaceKey, ObjectId};
use crate::storage::Shared;

/// A namespace of an open [`Storage`](crate::Storage). Cheap to clone.
#[derive(Clone)]
pub struct Namespace(Arc<Inner>);

struct Inner {
    key: NamespaceKey,
    folder: Arc<Folder>,
    shared: Arc<Shared>,
}

impl Namespace {
    pub(crate) fn new(key: NamespaceKey, folder: Arc<Folder>, shared: Arc<Shared>) -> Namespace {
        Namespace(Arc::new(Inner {
            key,
            folder,
            shared,
        }))
    }

    /// The unique key, which derives this namespace's ids.
    pub fn key(&self) -> &NamespaceKey {
        &self.0.key
    }

    /// Where the objects' files are.
    pub fn folder(&self) -> &Path {
        self.0.folder.path()
    }

    /// The database of one object. Opens nothing yet. There must be at most one per id at any time.
    pub fn database(&self, id: ObjectId) -> Database {
        Database::new(self.clone(), id)
    }

    pub(crate) fn folder_handle(&self) -> &Arc<Folder> {
        &self.0.folder
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0.shared
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Namespace")
            .field(&self.0.key.unique_key())
            .finish()
    }
}
