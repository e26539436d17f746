//! Runs the server: starts it, says what to try, and drains it at the first signal.

use std::{
    io::{IsTerminal, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use dolmen::{Binding, Bindings, Bundle, Dolmen, Gateway, Handle, Manifest};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    config::{Config, Objects},
    failure::{Cause, Failure},
};

/// Serves until a signal comes, and drains.
pub fn run(config: Config) -> Result<(), Failure> {
    tracing_subscriber::fmt()
        .with_env_filter(config.log)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .init();
    let mut builder = Dolmen::builder()
        .storage(&config.storage)
        .options(config.options);
    let routes = config.gateway.object_routes;
    let counter = matches!(config.objects, Objects::Counter);
    match config.objects {
        Objects::Counter => builder = builder.bundle(Bundle::counter()?),
        Objects::Bundle {
            file,
            manifest,
            vars,
        } => {
            let manifest = manifest.map(Manifest::from_file).transpose()?;
            let (bundle, manifest) = load(file, manifest, vars, &config.storage)?;
            builder = builder.bundle(bundle);
            if let Some(manifest) = manifest {
                builder = builder.manifest(manifest);
            }
        }
    }
    builder.namespaces()?;
    let event_loop = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Cause::Other, format!("there is no event loop: {error}")))?;
    event_loop.block_on(async {
        let mut signals = Signals::listen()?;
        let gateway = Gateway::bind(&config.addr, config.gateway).map_err(dolmen::Error::from)?;
        let addr = gateway.local_addr();
        let dolmen = builder.start()?;
        welcome(addr, &config.storage, &dolmen.handle(), counter, routes);
        let drain = async {
            let name = signals.next().await;
            tracing::info!("{name}: finishing what runs; a second signal ends at once");
            tokio::spawn(async move {
                signals.next().await;
                tracing::warn!("ending at once");
                std::process::exit(1);
            });
        };
        dolmen.serve(gateway, drain).await?;
        tracing::info!("drained; everything committed is synced");
        Ok(())
    })
}

/// Loads a bundle, by default the `main` of a manifest, with the manifest's bindings and `vars`.
fn load(
    file: Option<PathBuf>,
    manifest: Option<Manifest>,
    vars: Vec<(String, String)>,
    storage: &Path,
) -> Result<(Bundle, Option<Manifest>), Failure> {
    let mut bindings = Bindings::default();
    let mut main = None;
    if let Some(manifest) = &manifest {
        bindings = manifest.bindings().clone();
        main = manifest.main().map(Path::to_owned);
        for note in manifest.notes() {
            tracing::warn!("{note}");
        }
    }
    for (name, value) in vars {
        bindings
            .add(&name, Binding::Var(value.into()))
            .map_err(|message| Failure::new(Cause::Usage, format!("--var: {message}")))?;
    }
    let file = file.or(main).ok_or_else(|| {
        Failure::new(
            Cause::Bundle,
            "the wrangler file has no `main`; give --bundle FILE and it as --manifest",
        )
    })?;
    let compiled = compiled_folder(storage);
    let bundle = Bundle::from_file_cached(file, bindings, Some(&compiled))?;
    Ok((bundle, manifest))
}

/// Where the compiled code of WASM modules is kept: beside the objects, whose folder may be moved
/// to another machine.
fn compiled_folder(storage: &Path) -> PathBuf {
    let mut name = storage.as_os_str().to_owned();
    name.push(".compiled");
    PathBuf::from(name)
}

/// SIGTERM and Ctrl-C.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Failure::new(Cause::Other, format!("signals cannot be heard: {error}"))
            })
        };
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// Waits for either and gives its name.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "Ctrl-C",
        }
    }
}

/// Says where it listens and what to try.
fn welcome(addr: SocketAddr, storage: &Path, handle: &Handle, counter: bool, routes: bool) {
    let mut url = addr;
    if addr.ip().is_unspecified() {
        url.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let namespaces: Vec<_> = handle
        .namespaces()
        .iter()
        .map(|spec| format!("{} (class {})", spec.name, spec.class))
        .collect();
    let tries = if counter {
        format!(
            "  curl -X POST http://{url}/rpc/COUNTER/global/increment -H 'content-type: application/json' -d '[1]'\n  \
             curl http://{url}/fetch/COUNTER/global/count\n  \
             curl -X POST http://{url}/rpc/COUNTER/another/increment -d '[41]'\n"
        )
    } else if handle.has_object_paths() {
        format!("  curl http://{url}/\n  curl http://{url}/do/some-name/\n")
    } else if handle.has_worker() && !routes {
        format!("  curl http://{url}/\n")
    } else {
        let first = handle
            .namespaces()
            .first()
            .map_or("NAMESPACE", |spec| spec.name.as_str());
        format!(
            "  curl -X POST http://{url}/rpc/{first}/some-name/METHOD -d '[]'\n  \
             curl http://{url}/fetch/{first}/some-name/\n"
        )
    };
    let objects = if namespaces.is_empty() {
        "none".to_owned()
    } else {
        namespaces.join(", ")
    };
    let text = format!(
        "Dolmen listens on http://{addr}\n\n  objects  {objects}\n  storage  {}\n\nTry:\n{tries}\n\
         `dolmen help` explains the rest. Ctrl-C stops it.\n",
        storage.display()
    );
    let mut stdout = std::io::stdout().lock();
    // Nobody has to read this.
    drop(
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush()),
    );
}
