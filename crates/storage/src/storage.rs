//! The opened root folder: its lock, its sync threads, its namespaces and its alarm index.
//! Keeps true: at most one open storage per root on this machine; what an earlier process wrote is durable
//! before anything is read.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::alarms::AlarmIndex;
use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::id::NamespaceKey;
use crate::lock::RootLock;
use crate::namespace::Namespace;
use crate::options::Options;
use crate::sync_pool::SyncPool;

/// An open storage. Cheap to clone; the root is released when the last clone, namespace and database are gone.
#[derive(Clone)]
pub struct Storage(Arc<Inner>);

struct Inner {
    root: Arc<Folder>,
    folders: Mutex<HashMap<String, Arc<Folder>>>,
    alarms: AlarmIndex,
    shared: Arc<Shared>,
}

/// What every database needs. Fields drop in this order: the lock goes last.
pub(crate) struct Shared {
    pub pool: SyncPool,
    pub options: Options,
    _lock: RootLock,
}

impl Storage {
    /// Opens `root`, making it if need be, and waits until all that it holds is durable.
    ///
    /// # Errors
    /// `Held` if another Dolmen has it open; `Io` if it cannot be made, written or synced.
    pub fn open(root: &Path, options: Options) -> Result<Storage> {
        create_folders(root, &options)?;
        let lock = RootLock::take(root)?;
        options
            .disk
            .sync_filesystem(root)
            .map_err(|e| Error::io("sync the file system of", root, e))?;
        let pool = SyncPool::start(options.sync_threads)?;
        let alarms = AlarmIndex::start(&options)?;
        let root = Arc::new(Folder::new(root.to_owned(), Arc::clone(&options.disk)));
        let shared = Arc::new(Shared {
            pool,
            options,
            _lock: lock,
        });
        Ok(Storage(Arc::new(Inner {
            root,
            folders: Mutex::default(),
            alarms,
            shared,
        })))
    }

    /// The namespace of this unique key, whose folder is made if need be.
    ///
    /// # Errors
    /// `Invalid` if the key cannot be a folder name, `Io` if the folder cannot be made.
    pub fn namespace(&self, unique_key: &str) -> Result<Namespace> {
        let key = NamespaceKey::new(unique_key)?;
        let mut folders = self
            .0
            .folders
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let folder = match folders.get(unique_key) {
            Some(folder) => Arc::clone(folder),
            None => {
                let path = self.0.root.path().join(unique_key);
                fs::create_dir_all(&path).map_err(|e| Error::io("create the folder", &path, e))?;
                self.0.root.sync()?;
                let folder = Arc::new(Folder::new(path, Arc::clone(&self.0.shared.options.disk)));
                folders.insert(unique_key.to_owned(), Arc::clone(&folder));
                folder
            }
        };
        Ok(Namespace::new(key, folder, Arc::clone(&self.0.shared)))
    }

    /// A namespace without a folder of its own, for instances that keep nothing: nobody may write to its databases.
    ///
    /// # Errors
    /// None that can be expected.
    pub fn without_files(&self) -> Result<Namespace> {
        let key = NamespaceKey::new("without-files")?;
        Ok(Namespace::new(
            key,
            Arc::clone(&self.0.root),
            Arc::clone(&self.0.shared),
        ))
    }

    /// The index of all objects' alarms, by time.
    pub fn alarms(&self) -> &AlarmIndex {
        &self.0.alarms
    }

    /// The root folder.
    pub fn root(&self) -> &Path {
        self.0.root.path()
    }

    /// The settings it was opened with.
    pub fn options(&self) -> &Options {
        &self.0.shared.options
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Storage").field(&self.root()).finish()
    }
}

/// Makes `root` and its missing parents, each durably named in its parent.
fn create_folders(root: &Path, options: &Options) -> Result<()> {
    let missing: Vec<PathBuf> = root
        .ancestors()
        .take_while(|path| !path.as_os_str().is_empty() && !path.exists())
        .map(Path::to_owned)
        .collect();
    fs::create_dir_all(root).map_err(|e| Error::io("create the folder", root, e))?;
    for made in missing.iter().rev() {
        let parent = made
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        options
            .disk
            .sync_dir(parent)
            .map_err(|e| Error::io("sync the folder", parent, e))?;
    }
    Ok(())
}
