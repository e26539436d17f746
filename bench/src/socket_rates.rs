//! Messages in a second: echoes on a few WebSockets of one object, and one message to all of many.
//!
//! Every message that comes is compared with what was to come, also after the measured time.

use std::time::Instant;

use anyhow::{Result, ensure};

use crate::flags::Flags;
use crate::load::Outcome;
use crate::measure::Figure;
use crate::server::Server;
use crate::sockets::Sockets;

const OBJECT: &str = "c0";

/// Echoes in a second, with one message under way on each of the run's connections.
pub fn echo(flags: &Flags, server: &Server) -> Result<Figure> {
    let mut sockets = open(server, flags.connections)?;
    let count = sockets.len();
    let mut outcome = Outcome::new(flags.duration);
    let from = Instant::now() + flags.warm_up;
    let until = from + flags.duration;
    let mut sent = Vec::with_capacity(count);
    for number in 0..count {
        let text = message(number, 0);
        sockets.send(number, &text)?;
        sent.push((0, text, Instant::now()));
    }
    let mut under_way = count;
    let mut received = Vec::with_capacity(count);
    while under_way > 0 {
        sockets.receive(&mut received)?;
        for (number, echo) in received.drain(..) {
            let (serial, text, sent_at) = &mut sent[number];
            ensure!(
                echo == text.as_bytes(),
                "{text:?} came back as {:?}",
                String::from_utf8_lossy(&echo)
            );
            let now = Instant::now();
            outcome.take(now, *sent_at, from..until, 1);
            if now < until {
                *serial += 1;
                *text = message(number, *serial);
                *sent_at = now;
                sockets.send(number, text)?;
            } else {
                under_way -= 1;
            }
        }
    }
    Figure::of_rate(&outcome)
}

/// Messages delivered in a second: one socket asks for a message to all of them, and asks again when all have it. The
/// latencies are those of the last one to have it.
pub fn broadcast(flags: &Flags, server: &Server) -> Result<Figure> {
    const SOCKETS: u32 = 1_000;
    let mut sockets = open(server, SOCKETS)?;
    let count = sockets.len();
    let mut outcome = Outcome::new(flags.duration);
    let from = Instant::now() + flags.warm_up;
    let until = from + flags.duration;
    let mut received = Vec::with_capacity(count);
    let mut have_it = vec![0; count];
    for serial in 1_u64.. {
        let text = format!("all {serial:016}");
        let sent_at = Instant::now();
        sockets.send(serial as usize % count, &text)?;
        let mut missing = count;
        while missing > 0 {
            sockets.receive(&mut received)?;
            for (number, one) in received.drain(..) {
                ensure!(
                    one == text.as_bytes(),
                    "instead of {text:?} came {:?}",
                    String::from_utf8_lossy(&one)
                );
                ensure!(
                    std::mem::replace(&mut have_it[number], serial) < serial,
                    "{text:?} came twice"
                );
                missing -= 1;
            }
        }
        let now = Instant::now();
        outcome.take(now, sent_at, from..until, count as u64);
        if now >= until {
            break;
        }
    }
    Figure::of_rate(&outcome)
}

fn open(server: &Server, count: u32) -> Result<Sockets> {
    let mut sockets = Sockets::new()?;
    for _ in 0..count {
        sockets.open(server.addr(), OBJECT)?;
    }
    Ok(sockets)
}

/// Some 20 bytes.
fn message(number: usize, serial: u64) -> String {
    format!("message {number:04} {serial:08}")
}
