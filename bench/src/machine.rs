//! The machine that the figures belong to.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Resource, getrlimit, setrlimit};
use serde::Serialize;

/// What of the machine matters to the figures.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// The processor's own name.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// The kernel's name and release.
    pub kernel: String,
    /// The type of the filesystem that storage lies on.
    pub filesystem: String,
    /// `fdatasync` calls in a second on one growing file, just before the run.
    pub syncs_per_second: f64,
    /// Runnable processes, averaged over the minute before the run.
    pub load_average: String,
}

impl Machine {
    /// Looks at the machine, and at the disk that `storage` lies on. Fails when that is no real disk.
    pub fn look(storage: &Path) -> Result<Self> {
        let read =
            |path: &str| fs::read_to_string(path).with_context(|| format!("cannot read {path}"));
        let cpuinfo = read("/proc/cpuinfo")?;
        let model = cpuinfo.lines().find(|line| line.starts_with("model name"));
        let cpu = model
            .and_then(|line| line.split_once(": "))
            .map_or("unknown", |(_, name)| name)
            .to_owned();
        let load_average = read("/proc/loadavg")?
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_owned();
        let filesystem = filesystem(&read("/proc/self/mounts")?, storage);
        if ["tmpfs", "ramfs", "devtmpfs"].contains(&filesystem.as_str()) {
            bail!(
                "{} is on {filesystem}, where a sync costs nothing; give --storage on a disk",
                storage.display()
            );
        }
        Ok(Machine {
            cpu,
            cores: std::thread::available_parallelism()?.get(),
            kernel: format!("Linux {}", read("/proc/sys/kernel/osrelease")?.trim()),
            filesystem,
            syncs_per_second: syncs_per_second(storage)?,
            load_average,
        })
    }
}

/// Lets the servers open as many files as this user may: every live object keeps some.
pub fn raise_open_files() -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("cannot raise the limit on open files")
}

/// The type of the filesystem that `path` lies on, as `mounts` tells.
fn filesystem(mounts: &str, path: &Path) -> String {
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((Path::new(words.next()?), words.next()?))
    });
    let around = mounts.filter(|(mount, _)| path.starts_with(mount));
    // Of two mounts on one folder the later hides the earlier, and `max_by_key` gives the later.
    around
        .max_by_key(|(mount, _)| mount.components().count())
        .map_or("unknown", |(_, kind)| kind)
        .to_owned()
}

/// How often a second `fdatasync` returns on one file that grows by a page each time.
fn syncs_per_second(folder: &Path) -> Result<f64> {
    const PROBE: Duration = Duration::from_millis(500);
    const PAGE: [u8; 4096] = [7; 4096];
    let path = folder.join(format!("probe-{}", std::process::id()));
    let mut file =
        File::create(&path).with_context(|| format!("cannot write to {}", folder.display()))?;
    let from = Instant::now();
    let mut syncs = 0_u32;
    while from.elapsed() < PROBE {
        file.write_all(&PAGE)?;
        file.sync_data()?;
        syncs += 1;
    }
    let rate = f64::from(syncs) / from.elapsed().as_secs_f64();
    fs::remove_file(&path)?;
    Ok(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_mount_names_the_filesystem() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /mnt tmpfs rw 0 0\n/dev/b /mnt/disk xfs rw 0 0\n";
        assert_eq!(filesystem(mounts, Path::new("/mnt/disk/bench")), "xfs");
        assert_eq!(filesystem(mounts, Path::new("/mnt/diskette")), "tmpfs");
        assert_eq!(filesystem(mounts, Path::new("/home")), "ext4");
    }
}
