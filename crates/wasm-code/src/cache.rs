//! Compiled code on disk, so that a module is compiled once.
//!
//! What is loaded here runs as native code. The folder must be this user's alone, and every file
//! carries a MAC under a key that was made in the folder: a file that was changed, cut short or
//! brought from elsewhere is compiled anew. Who can write as this user can do anything to it anyway.

use std::{
    fs::{self, File, OpenOptions},
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use wasmtime::{Engine, Module, component::Component};

/// Bytes of the key and of a MAC.
const KEY_BYTES: usize = 32;
/// The file that has the key.
const KEY_FILE: &str = "key";
/// What others may do in the folder: nothing.
const OTHERS: u32 = 0o077;

/// What can be compiled, and kept.
pub trait Code: Sized {
    /// Compiles it.
    ///
    /// # Errors
    /// What wasmtime finds wrong with it.
    fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Self>;
    /// Its machine code.
    ///
    /// # Errors
    /// If wasmtime cannot write it down.
    fn serialize(&self) -> wasmtime::Result<Vec<u8>>;
    /// Loads machine code.
    ///
    /// # Safety
    /// The bytes are those of [`Code::serialize`].
    ///
    /// # Errors
    /// If it is of another version of wasmtime.
    unsafe fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Self>;
}

macro_rules! code {
    ($type:ty) => {
        impl Code for $type {
            fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Self> {
                Self::new(engine, wasm)
            }

            fn serialize(&self) -> wasmtime::Result<Vec<u8>> {
                self.serialize()
            }

            unsafe fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Self> {
                // SAFETY: as of the caller.
                unsafe { Self::deserialize(engine, code) }
            }
        }
    };
}

code!(Module);
code!(Component);

/// A folder of compiled code.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    key: [u8; KEY_BYTES],
}

impl Cache {
    /// Opens the folder, or makes it, private to this user.
    ///
    /// # Errors
    /// `PermissionDenied` if it is somebody else's, or others can read or write it; else what the
    /// system says.
    pub fn open(folder: &Path) -> io::Result<Self> {
        if let Some(parent) = folder.parent() {
            fs::create_dir_all(parent)?;
        }
        match fs::DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        check_private(folder, &fs::symlink_metadata(folder)?, fs::Metadata::is_dir)?;
        let path = folder.join(KEY_FILE);
        let mut key = [0; KEY_BYTES];
        match open_private(&path) {
            Ok(mut file) => file.read_exact(&mut key)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                getrandom::fill(&mut key).map_err(no_random)?;
                write_private(&path, &[&key])?;
            }
            Err(error) => return Err(error),
        }
        Ok(Self {
            folder: folder.to_owned(),
            key,
        })
    }

    /// The compiled code of `wasm`, from the folder or into it.
    pub(crate) fn code<C: Code>(&self, engine: &Engine, wasm: &[u8]) -> wasmtime::Result<C> {
        let name = name(engine, wasm);
        let path = self.folder.join(&name);
        match self.load(engine, &name, &path) {
            Ok(Some(compiled)) => return Ok(compiled),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "compiled code is not used, and made anew");
            }
        }
        let compiled = C::compile(engine, wasm)?;
        let code = compiled.serialize()?;
        let mac = self.mac(&name, &code).finalize().into_bytes();
        if let Err(error) = write_private(&path, &[&mac, &code]) {
            tracing::warn!(path = %path.display(), %error, "compiled code could not be kept");
        }
        Ok(compiled)
    }

    /// `None`: it is not there.
    fn load<C: Code>(&self, engine: &Engine, name: &str, path: &Path) -> io::Result<Option<C>> {
        let mut bytes = Vec::new();
        match open_private(path) {
            Ok(mut file) => file.read_to_end(&mut bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some((mac, code)) = bytes.split_at_checked(KEY_BYTES) else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "it is too short",
            ));
        };
        if self.mac(name, code).verify_slice(mac).is_err() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "it is not what was written under this name",
            ));
        }
        // SAFETY: the MAC shows that these very bytes were given by `Code::serialize` to somebody
        // who had this folder's key, which no other user can read, and the name inside it that they
        // were made for this version and configuration of wasmtime.
        let compiled = unsafe { C::deserialize(engine, code) };
        compiled.map(Some).map_err(io::Error::other)
    }

    fn mac(&self, name: &str, code: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length will do");
        mac.update(name.as_bytes());
        mac.update(code);
        mac
    }
}

/// What was compiled, and by whom.
fn name(engine: &Engine, wasm: &[u8]) -> String {
    let mut compiler = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut compiler);
    format!(
        "{}-{:016x}",
        hex::encode(Sha256::digest(wasm)),
        compiler.finish()
    )
}

/// Opens a file that nobody else can have written.
fn open_private(path: &Path) -> io::Result<File> {
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(no_follow)
        .open(path)?;
    check_private(path, &file.metadata()?, fs::Metadata::is_file)?;
    Ok(file)
}

/// Writes a file whole or not at all.
fn write_private(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(no_random)?;
    let unfinished = path.with_extension(hex::encode(random));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut file| parts.iter().try_for_each(|part| file.write_all(part)))
        .and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        // What is left of it is never read.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

fn no_random(error: getrandom::Error) -> io::Error {
    io::Error::other(error.to_string())
}

fn check_private(
    path: &Path,
    found: &fs::Metadata,
    kind: fn(&fs::Metadata) -> bool,
) -> io::Result<()> {
    let refused = |why: &str| {
        let message = format!(
            "{} {why}; compiled code must be this user's alone",
            path.display()
        );
        Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
    };
    if !kind(found) {
        return refused("is of another kind");
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return refused("belongs to another user");
    }
    if found.mode() & OTHERS != 0 {
        return refused("is open to other users");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const WASM: &[u8] = b"\0asm\x01\0\0\0";

    fn files(cache: &Cache) -> Vec<PathBuf> {
        let entries = fs::read_dir(&cache.folder).unwrap();
        let all = entries.map(|entry| entry.unwrap().path());
        all.filter(|path| !path.ends_with(KEY_FILE)).collect()
    }

    fn loads(cache: &Cache, engine: &Engine) -> io::Result<bool> {
        let name = name(engine, WASM);
        let path = cache.folder.join(&name);
        cache
            .load::<Module>(engine, &name, &path)
            .map(|module| module.is_some())
    }

    #[test]
    fn compiled_code_is_kept_and_changed_or_foreign_code_is_never_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, own) = (Engine::default(), folder.path().join("own"));
        let cache = Cache::open(&own).unwrap();
        assert!(!loads(&cache, &engine).unwrap());
        cache.code::<Module>(&engine, WASM).unwrap();
        assert!(
            loads(&Cache::open(&own).unwrap(), &engine).unwrap(),
            "it is there after a restart"
        );

        let [path] = files(&cache).try_into().unwrap();
        let good = fs::read(&path).unwrap();
        for at in [0, KEY_BYTES, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&path, &bad).unwrap();
            loads(&cache, &engine).expect_err("a changed byte");
        }
        fs::write(&path, &good[..20]).unwrap();
        loads(&cache, &engine).expect_err("cut short");
        cache.code::<Module>(&engine, WASM).unwrap();
        assert!(loads(&cache, &engine).unwrap(), "it was made anew");

        let foreign = Cache::open(&folder.path().join("foreign")).unwrap();
        foreign.code::<Module>(&engine, WASM).unwrap();
        fs::copy(&files(&foreign)[0], &path).unwrap();
        loads(&cache, &engine).expect_err("of another folder");

        let other = path.with_file_name("other");
        fs::write(&path, &good).unwrap();
        fs::rename(&path, &other).unwrap();
        cache
            .load::<Module>(&engine, "other", &other)
            .expect_err("under another name");
    }

    #[test]
    fn a_folder_or_file_that_others_can_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, own) = (Engine::default(), folder.path().join("own"));
        let cache = Cache::open(&own).unwrap();
        cache.code::<Module>(&engine, WASM).unwrap();
        let [path] = files(&cache).try_into().unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o622)).unwrap();
        loads(&cache, &engine).expect_err("others can write it");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&own, &link).unwrap();
        Cache::open(&link).expect_err("a link");
        for mode in [0o750, 0o770, 0o707] {
            fs::set_permissions(&own, fs::Permissions::from_mode(mode)).unwrap();
            let error = Cache::open(&own).expect_err("others can use it");
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        }
    }
}
