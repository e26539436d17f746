//! The alarm of an object: the event `ALARM`.

use bytes::Bytes;
use dolmen_runtime::{AlarmInfo, Error, ErrorKind, Reply};

use crate::{
    guest::Fault,
    instance::{Ended, Failure, Guests},
    request::{self, Request},
};

/// A status from which on the handler has failed.
const FAILED: i32 = 400;
/// Bytes of a body that an error shows.
const SHOWN: usize = 200;

/// Runs the handler. If it panics, or answers with a status of 400 or more, its writes are undone
/// and the alarm is due again.
///
/// # Errors
/// The failure of the handler.
pub(crate) async fn run(guests: &Guests, info: AlarmInfo) -> Result<Reply, Failure> {
    match guests.abi().await? {
        Ended::Well(..1) => {
            let message = "the module knows no alarms: it does not export `do_abi`";
            return Err(Error::new(ErrorKind::MethodNotFound, message).into());
        }
        Ended::Well(_) => {}
        Ended::Panicked(message) => return Err(failed(&message)),
    }
    let attempts = i32::try_from(info.retry_count).unwrap_or(i32::MAX);
    let path = "/".to_owned();
    let event = Request::event(
        request::ALARM,
        path,
        Vec::new(),
        Bytes::new(),
        vec![attempts],
    );
    let ended = guests.run(event, |answered| match answered.status {
        ..FAILED => Ok(()),
        status => {
            let shown = &answered.body[..answered.body.len().min(SHOWN)];
            let shown = String::from_utf8_lossy(shown);
            Err(Fault::Panic(format!(
                "the alarm's status is {status}: {shown}"
            )))
        }
    });
    match ended.await? {
        Ended::Well(()) => Ok(Reply::Alarm),
        Ended::Panicked(message) => Err(failed(&message)),
    }
}

fn failed(message: &str) -> Failure {
    Error::new(
        ErrorKind::Exception,
        format!("the alarm handler failed: {message}"),
    )
    .into()
}
