//! Starts everything in its order, and stops it in the reverse one.

use std::{
    future::Future,
    path::{Path, PathBuf},
};

use dolmen_gateway::Gateway;
use dolmen_js::Binding;
use dolmen_runtime::{Clock, Handle, NamespaceSpec, Options, Runtime};
use dolmen_storage::Storage;

use crate::{
    bundle::Bundle,
    error::{Error, ErrorKind, Result},
    manifest::Manifest,
    namespaces,
};

/// Where objects are kept unless said otherwise.
const DEFAULT_STORAGE: &str = "./var/durable-objects";

/// Collects what Dolmen needs to start. Everything but the bundle has a default.
#[derive(Debug)]
pub struct Builder {
    storage: PathBuf,
    storage_options: dolmen_storage::Options,
    bundle: Option<Bundle>,
    manifest: Option<Manifest>,
    options: Options,
    clock: Clock,
}

impl Builder {
    /// The folder of the objects' databases; made if need be. Default: `./var/durable-objects`.
    pub fn storage(mut self, folder: impl AsRef<Path>) -> Self {
        self.storage = folder.as_ref().to_owned();
        self
    }

    /// Settings of the storage, for those who need other ones.
    pub fn storage_options(mut self, options: dolmen_storage::Options) -> Self {
        self.storage_options = options;
        self
    }

    /// The classes of the objects.
    pub fn bundle(mut self, bundle: Bundle) -> Self {
        self.bundle = Some(bundle);
        self
    }

    /// The namespaces; without a manifest they derive from the bundle's exports. The bundle must have
    /// been loaded with its [`Manifest::bindings`].
    pub fn manifest(mut self, manifest: Manifest) -> Self {
        self.manifest = Some(manifest);
        self
    }

    /// Limits and settings.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Where time comes from; a test can hold it.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The namespaces that a start would open.
    ///
    /// # Errors
    /// `Bundle` if there is none or its exports give no namespaces, `Manifest` if the manifest
    /// does not fit it.
    pub fn namespaces(&self) -> Result<Vec<NamespaceSpec>> {
        let bundle = self.required_bundle()?;
        let classes = bundle.classes();
        let namespaces = match &self.manifest {
            Some(manifest) if !manifest.objects().is_empty() => {
                let plain = bundle.plain_classes();
                namespaces::mapped(manifest, &[classes, plain].concat(), &self.storage)?
            }
            // wrangler binds no class that is not named.
            Some(manifest) if manifest.main().is_some() => Vec::new(),
            _ => namespaces::derived(classes)?,
        };
        self.check_bindings(bundle, &namespaces)?;
        Ok(namespaces)
    }

    /// Whether `env` can have all that it shall have.
    fn check_bindings(&self, bundle: &Bundle, namespaces: &[NamespaceSpec]) -> Result<()> {
        let wrong = |message| Err(Error::new(ErrorKind::Manifest, message));
        for (name, binding) in bundle.bindings().iter() {
            if namespaces.iter().any(|namespace| namespace.name == name) {
                return wrong(format!(
                    "{name} names a namespace and something else in `env`"
                ));
            }
            if let Binding::Entrypoint { name: export, .. } = binding
                && !bundle.entrypoints().contains(export)
            {
                return wrong(format!(
                    "{name} is bound to the entrypoint `{export}`, which the bundle does not export; it exports {:?}",
                    bundle.entrypoints()
                ));
            }
        }
        let has = |name: &str| bundle.bindings().iter().any(|(known, _)| known == name);
        let given = self.manifest.iter().flat_map(|it| it.bindings().iter());
        match given.map(|(name, _)| name).find(|name| !has(name)) {
            Some(name) => wrong(format!(
                "the manifest gives `env` the member {name}, which the bundle was loaded without: load it with the manifest's bindings"
            )),
            None => Ok(()),
        }
    }

    /// Opens the storage and starts the shards.
    ///
    /// # Errors
    /// As [`Builder::namespaces`]; `StorageHeld` if another Dolmen has the folder, `Storage` if
    /// it cannot be used, `Internal` if a thread cannot be started.
    pub fn start(self) -> Result<Dolmen> {
        let namespaces = self.namespaces()?;
        let engine = self.required_bundle()?.engine();
        let storage = Storage::open(&self.storage, self.storage_options)?;
        let runtime = Runtime::start(engine, namespaces, storage, self.options, self.clock)?;
        Ok(Dolmen { runtime })
    }

    fn required_bundle(&self) -> Result<&Bundle> {
        self.bundle.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::Bundle,
                "there is no bundle: give the builder one",
            )
        })
    }
}

/// A running Dolmen. Stop it with [`Dolmen::shutdown`]; dropping it leaves its threads running.
pub struct Dolmen {
    runtime: Runtime,
}

impl Dolmen {
    /// Begins a new Dolmen.
    pub fn builder() -> Builder {
        Builder {
            storage: PathBuf::from(DEFAULT_STORAGE),
            storage_options: dolmen_storage::Options::default(),
            bundle: None,
            manifest: None,
            options: Options::default(),
            clock: Clock::system(),
        }
    }

    /// The way to the objects; cheap to clone, usable from any thread.
    pub fn handle(&self) -> Handle {
        self.runtime.handle()
    }

    /// Serves the objects over HTTP until `shutdown` resolves; then drains the gateway and the
    /// objects, and ends. Call it on a tokio runtime with IO and time.
    ///
    /// # Errors
    /// `Address` if the socket fails at the start, else as [`Dolmen::shutdown`].
    pub async fn serve(self, gateway: Gateway, shutdown: impl Future<Output = ()>) -> Result<()> {
        let served = gateway.serve(self.handle(), shutdown).await;
        self.shutdown().await?;
        Ok(served?)
    }

    /// Refuses new events, lets running ones finish within the grace period, syncs what was
    /// committed and ends the threads.
    ///
    /// # Errors
    /// `Internal` if a thread did not end; what was acknowledged is durable all the same.
    pub async fn shutdown(self) -> Result<()> {
        Ok(self.runtime.shutdown().await?)
    }
}

impl std::fmt::Debug for Dolmen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dolmen")
            .field("namespaces", &self.handle().namespaces())
            .finish()
    }
}
