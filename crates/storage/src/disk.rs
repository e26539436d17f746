//! The only door through which this process makes bytes durable. SQLite itself never syncs (it runs
//! with `synchronous=OFF`), so a test that puts its own [`Disk`] here sees and controls every sync.

use std::fs::File;
use std::io;
use std::path::Path;

/// Makes files and folders durable. Called from many threads at once.
pub trait Disk: Send + Sync + 'static {
    /// Returns once all data of `file`, and its size, would survive a power loss. `path` is where it was opened.
    fn sync_data(&self, file: &File, path: &Path) -> io::Result<()>;

    /// Returns once all entries of the folder would survive a power loss.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Returns once everything under `root` would survive a power loss. Called once, when a storage is opened: what a
    /// killed process left in the page cache must be durable before anybody is told about it.
    fn sync_filesystem(&self, root: &Path) -> io::Result<()>;
}

/// The disk of this machine: `fdatasync`, `fsync` and `syncfs`.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn sync_data(&self, file: &File, _path: &Path) -> io::Result<()> {
        file.sync_data()
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    #[cfg(target_os = "linux")]
    fn sync_filesystem(&self, root: &Path) -> io::Result<()> {
        Ok(rustix::fs::syncfs(File::open(root)?)?)
    }

    /// Without `syncfs`: every file and folder below `root`, one by one.
    #[cfg(not(target_os = "linux"))]
    fn sync_filesystem(&self, root: &Path) -> io::Result<()> {
        for entry in std::fs::read_dir(root)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                self.sync_filesystem(&entry.path())?;
            } else {
                File::open(entry.path())?.sync_all()?;
            }
        }
        self.sync_dir(root)
    }
}
