//! One connection, served on the shard it was handed to until either side ends it.

use std::{
    cell::Cell,
    convert::Infallible,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use dolmen_runtime::{Body, FetchRequest, Handle, RpcCall, Target};
use http::{HeaderValue, Method, Request, Response, header::CONTENT_TYPE, request::Parts};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioTimer;
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};

use crate::{
    answer::Answer,
    body,
    failure::Failure,
    fetch,
    lingering::Lingering,
    options::GatewayOptions,
    route::Route,
    rpc,
    upgrade::{self, Upgrade},
};

/// How far the gateway is with its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Requests are welcome.
    Serving,
    /// Open requests are finished, no other is begun.
    Draining,
    /// The grace period is over.
    Closed,
}

/// What every connection needs; cheap to clone.
#[derive(Clone)]
pub(crate) struct Edge {
    pub handle: Handle,
    /// Places of WebSockets.
    pub sockets: Arc<Semaphore>,
    pub options: Arc<GatewayOptions>,
    pub phase: watch::Receiver<Phase>,
}

/// What the requests of one connection leave behind for it.
#[derive(Clone, Default)]
struct Trace {
    any_request: Rc<Cell<bool>>,
    unread_body: Arc<AtomicBool>,
}

/// Serves `stream` on this thread's event loop.
pub(crate) async fn serve(stream: std::net::TcpStream, edge: Edge, _permit: OwnedSemaphorePermit) {
    let stream = match TcpStream::from_std(stream) {
        Ok(stream) => stream,
        Err(error) => return tracing::warn!(%error, "a connection could not be served"),
    };
    let mut phases = edge.phase.clone();
    let mut builder = http1::Builder::new();
    // Not `pipeline_flush`: it loses the answer to a request that is followed by unreadable bytes.
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(edge.options.head_timeout)
        .max_buf_size(edge.options.max_head_bytes);
    let edge = Rc::new(edge);
    let trace = Trace::default();
    let service = service_fn({
        let trace = trace.clone();
        move |request| respond(edge.clone(), trace.clone(), request)
    });
    let stream = Lingering::new(stream, trace.unread_body);
    let connection = builder.serve_connection(stream, service).with_upgrades();
    tokio::pin!(connection);
    let ended = loop {
        tokio::select! {
            biased;
            ended = &mut connection => break ended,
            phase = next(&mut phases) => match phase {
                Phase::Draining if trace.any_request.get() => connection.as_mut().graceful_shutdown(),
                // It has not asked for anything yet, or it had its time.
                _ => return,
            },
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}

async fn next(phases: &mut watch::Receiver<Phase>) -> Phase {
    match phases.changed().await {
        Ok(()) => *phases.borrow_and_update(),
        Err(_) => Phase::Closed,
    }
}

async fn respond(
    edge: Rc<Edge>,
    trace: Trace,
    request: Request<Incoming>,
) -> Result<Response<Answer>, Infallible> {
    trace.any_request.set(true);
    Ok(answer(&edge, request).await.unwrap_or_else(|failure| {
        if failure.leaves_body_unread() {
            trace.unread_body.store(true, Ordering::Relaxed);
        }
        failure
            .into_response(edge.options.error_details)
            .map(Answer::from)
    }))
}

async fn answer(edge: &Edge, mut request: Request<Incoming>) -> Result<Response<Answer>, Failure> {
    let asked = Upgrade::asked_for(&mut request);
    let (
        Parts {
            method,
            uri,
            version,
            headers,
            ..
        },
        incoming,
    ) = request.into_parts();
    let host = fetch::host(&uri, &headers, version)?;
    let route = route(edge, uri.path())?;
    let Some(route) = route else {
        let method_asked = method.clone();
        let request = FetchRequest {
            target: Target::Root,
            method,
            url: fetch::url(host, &uri),
            path: String::new(),
            query: String::new(),
            headers,
            body: body::open(incoming, &edge.options).await?,
        };
        let response = edge.handle.worker(request).await;
        let response =
            response.map_err(|error| Failure::from_event(&error, "the worker", "fetch"))?;
        return upgrade::answer(edge, asked, response, &method_asked);
    };
    match route {
        Route::Index => Ok(index(&edge.handle).map(Answer::from)),
        Route::Rpc {
            namespace,
            object,
            method: name,
        } => {
            if method != Method::POST {
                return Err(Failure::not_post(&method));
            }
            let args = rpc::arguments(&body::read(incoming, &edge.options).await?)?;
            let call = RpcCall {
                method: name.into_owned(),
                args,
            };
            let result = edge.handle.rpc(&namespace, &object, call).await;
            let result =
                result.map_err(|error| Failure::from_event(&error, &namespace, &object))?;
            Ok(rpc::answer(&result).map(Answer::from))
        }
        Route::Fetch {
            namespace,
            object,
            path,
        } => {
            let body = body::read(incoming, &edge.options).await?;
            let method_asked = method.clone();
            let request = FetchRequest {
                target: Target::Root,
                method,
                url: fetch::url(host, &uri),
                path: path.to_owned(),
                query: uri.query().unwrap_or_default().to_owned(),
                headers,
                body: Body::Full(body),
            };
            let response = edge.handle.fetch(&namespace, &object, request).await;
            let response =
                response.map_err(|error| Failure::from_event(&error, &namespace, &object))?;
            upgrade::answer(edge, asked, response, &method_asked)
        }
    }
}

/// Where a request goes; `None`: to the worker.
fn route<'p>(edge: &'p Edge, path: &'p str) -> Result<Option<Route<'p>>, Failure> {
    let handle = &edge.handle;
    if !handle.has_worker() {
        return Route::of(path).map(Some);
    }
    if handle.has_object_paths() {
        if let Some(first) = handle.namespaces().first()
            && let Some(route) = Route::of_do(path, &first.name)?
        {
            return Ok(Some(route));
        }
        if path.starts_with("/fetch/") {
            return Route::of(path).map(Some);
        }
    }
    match edge.options.object_routes && Route::is_for_object(path) {
        true => Route::of(path).map(Some),
        false => Ok(None),
    }
}

/// A short page for whoever looks what this is.
fn index(handle: &Handle) -> Response<Full<Bytes>> {
    let names: Vec<_> = handle
        .namespaces()
        .iter()
        .map(|namespace| namespace.name.as_str())
        .collect();
    let text = format!(
        "Dolmen\n\nNamespaces: {}\n\nPOST /rpc/:namespace/:name/:method   call a method; the body is a JSON array of its arguments\n\
         ANY  /fetch/:namespace/:name/*       pass the request to the object's fetch\n\n`dolmen help gateway` has the rest.\n",
        names.join(", ")
    );
    let mut response = Response::new(Full::new(Bytes::from(text)));
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}
