//! The fan-out: what a module wants fetched before its handler runs, all at the same time.

use bytes::Bytes;
use dolmen_runtime::Host;

use crate::{
    guest::{Fault, Guest},
    outbound::{self, Ask},
    request::More,
    writes::Writes,
};

/// Most URLs of one request, and the bytes of all.
pub(crate) const MAX_FAN_OUT: usize = 64;
pub(crate) const MAX_FAN_OUT_BYTES: usize = 1 << 20;

/// Asks the guest what it wants for the request at `base`, and fetches it.
///
/// # Errors
/// The guest's fault, or the host's.
pub(crate) async fn resolve(
    guest: &mut Guest,
    base: u32,
    host: &Host,
    writes: &Writes,
) -> Result<Vec<More>, Fault> {
    let urls = guest.fan_out(base).await?;
    if urls.is_empty() {
        return Ok(Vec::new());
    }
    let asks: Vec<_> = urls.into_iter().map(get).collect();
    writes.make_durable().await.map_err(Fault::Host)?;
    let outcomes = outbound::send_all(&asks, host).await;
    let all = outcomes.into_iter().zip(&asks);
    Ok(all
        .map(|(outcome, ask)| match outcome {
            Ok(outcome) if (200..300).contains(&outcome.status) => More::Text(outcome.body),
            Ok(outcome) => More::I32(i32::from(outcome.status)),
            Err(reason) => {
                let object = host.label();
                tracing::warn!(object, "fetch of {} failed: {reason}", ask.url);
                More::I32(0)
            }
        })
        .collect())
}

fn get(url: String) -> Ask {
    Ask {
        method: "GET".to_owned(),
        content_type: Bytes::new(),
        url,
        body: Bytes::new(),
        headers: Bytes::new(),
    }
}
