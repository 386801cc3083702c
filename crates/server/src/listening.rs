//! Accepting connections and serving HTTP/1.1 on them, within bounds that hold before any handler
//! is reached: how many connections, how large and how slow a head, how slow a reader.

mod head;
mod write_timeout;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;

use crate::stopping::stopped;
use head::Strict;
use write_timeout::WriteTimeout;

/// A head that takes longer ends its connection; so does an idle one.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// A client that takes nothing of its answer for so long loses its connection.
const WRITE_TIMEOUT: Duration = Duration::from_secs(120);
const HEADERS_MAX: usize = 100;
const HEAD_BYTES_MAX: usize = 32 << 10;
/// After an `accept` that failed, so that a lack of file descriptors doesn't spin.
const BREATHER: Duration = Duration::from_millis(100);

/// The other end of a connection, as an extension of its requests.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Answers by `router` until told to stop, then finishes what is under way. At most `connections`
/// are open at the same time; further ones wait to be accepted.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    connections: usize,
    mut stop: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(connections));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            () = stopped(&mut stop) => break,
            accepted = accept(&listener, &room) => accepted,
        };
        let Some((stream, peer, permit)) = accepted else {
            continue;
        };
        let connection = graceful.watch(connection(stream, peer, router.clone()));
        tokio::spawn(async move {
            // A client that leaves or breaks the protocol is no error of ours.
            if let Err(error) = connection.await {
                tracing::debug!(%error, %peer, "a connection ended");
            }
            drop(permit);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// The next client, once there is room for it.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Only latency is lost without it.
            let _ = stream.set_nodelay(true);
            Some((stream, peer, permit))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(BREATHER).await;
            None
        }
    }
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
) -> impl GracefulConnection<Error = hyper::Error> {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        answer(router.clone(), request)
    });
    let stream = Strict::new(WriteTimeout::new(stream, WRITE_TIMEOUT));
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(HEADERS_MAX)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
}

async fn answer(router: Router, request: Request) -> Result<Response, Infallible> {
    // What follows a body of unknown length isn't looked at, so nothing may follow.
    let is_last = request.headers().contains_key(header::TRANSFER_ENCODING);
    let mut response = router.oneshot(request).await.into_response();
    if is_last {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    Ok(response)
}

/// How many connections may be open, given what is configured: half of the file descriptors that
/// the process may have remain for files and for queries.
pub fn connections_max(configured: usize) -> usize {
    let granted = getrlimit(Resource::Nofile).current;
    let half = granted.and_then(|granted| usize::try_from(granted / 2).ok());
    half.map_or(configured, |half| configured.min(half)).max(1)
}
