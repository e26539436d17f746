//! Lets sdk/check.mjs try parts of the crate one by one: cryptography, columns, numbers, decoding,
//! memory.

mod host;

use std::cell::RefCell;

use dolmen_guest::{App, Request, Response, columns, crypto, serve, vector};

serve!(app, fan_out = host::plan);

/// Blocks that `/heap` keeps.
const KEPT: usize = 512;
const HEAP_ROUNDS: u32 = 20_000;
const PAGE_BYTES: usize = 65_536;

fn app() -> App {
    host::with(App::new())
        .post("/sha256", |request: &Request| {
            hex(&crypto::sha256(request.body()))
        })
        .post("/sha512", |request: &Request| {
            hex(&crypto::sha512(request.body()))
        })
        .post("/hmac", |request: &Request| {
            hex(&crypto::hmac_sha256(&bytes(request, "key"), request.body()))
        })
        .post("/encrypt", |request: &Request| {
            let (key, nonce, extra) = sealing(request);
            hex(&crypto::aes256_gcm_encrypt(
                &key,
                &nonce,
                &extra,
                request.body(),
            ))
        })
        .post("/decrypt", |request: &Request| {
            let (key, nonce, extra) = sealing(request);
            let text = crypto::aes256_gcm_decrypt(&key, &nonce, &extra, request.body());
            text.map(|text| hex(&text))
                .map_err(|error| Response::error(403, error.to_string()))
        })
        .post("/numbers", |request: &Request| {
            let line = String::from_utf8_lossy(request.body()).into_owned();
            Response::json(&numbers(Some(&line)))
        })
        .post("/column/{what}", column)
        .get("/query", |request: &Request| {
            Response::json(&request.queries().collect::<Vec<_>>())
        })
        .post("/named", named)
        .get("/parts/{one}/and/{two}", |request: &Request| {
            Response::json(&[[request.param("one"), request.param("two")]])
        })
        .post("/json", |request: &Request| {
            Response::json(&String::from_utf8_lossy(request.body()))
        })
        .get("/header", |request: &Request| {
            let parameter = |name| request.query(name).unwrap_or_default();
            Response::text("sent").with_header(&parameter("name"), &parameter("value"))
        })
        .get("/memory", |_: &Request| memory())
        .post("/heap", |_: &Request| heap())
        .get("/panic", |_: &Request| -> Response {
            panic!("as it was asked to")
        })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A parameter of the query that is written in hex.
fn bytes(request: &Request, name: &str) -> Vec<u8> {
    from_hex(&request.query(name).unwrap_or_default())
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(str::from_utf8(pair).expect("it is text"), 16);
    digits.map(|pair| byte(pair).expect("it is hex")).collect()
}

fn sealing(request: &Request) -> ([u8; 32], [u8; 12], Vec<u8>) {
    let key = bytes(request, "key").try_into().expect("a key is 32 bytes");
    let nonce = bytes(request, "nonce")
        .try_into()
        .expect("a nonce is 12 bytes");
    (key, nonce, bytes(request, "extra"))
}

/// The numbers of a line. A text that is none is NaN.
fn numbers(line: Option<&str>) -> Vec<f64> {
    let fields = line.unwrap_or("").split(',');
    fields
        .map(|field| columns::number(field).unwrap_or(f64::NAN))
        .collect()
}

/// The first line holds two parameters, the others one column each.
fn column(request: &Request) -> Response {
    let text = String::from_utf8_lossy(request.body());
    let mut lines = text.lines();
    let (parameters, a, b) = (
        numbers(lines.next()),
        numbers(lines.next()),
        numbers(lines.next()),
    );
    let mut to = a.clone();
    match request.param("what") {
        "sum" => to = vec![vector::sum(&a)],
        "sum_i32" => {
            let whole: Vec<_> = a.iter().map(|&number| number as i32).collect();
            to = vec![vector::sum_i32(&whole) as f64];
        }
        "dot" => to = vec![vector::dot(&a, &b)],
        "minmax" => to = vector::min_max(&a).map_or(Vec::new(), |(low, high)| vec![low, high]),
        "correlation" => to = vec![columns::correlation(&a, &b)],
        "stddev" => to = vec![columns::stats(&a).stddev],
        "add" => vector::add(&mut to, &a, &b),
        "sub" => vector::sub(&mut to, &a, &b),
        "mul" => vector::mul(&mut to, &a, &b),
        "scale" => vector::scale(&mut to, parameters[0]),
        "clamp" => vector::clamp(&mut to, parameters[0], parameters[1]),
        "map_linear" => vector::map_linear(&mut to, parameters[0], parameters[1]),
        "normalize" => to = columns::normalize(&a),
        _ => return Response::not_found(),
    }
    Response::json(&to)
}

/// Where `name` of the query is found: the form, the cookies, the headers.
fn named(request: &Request) -> Response {
    let name = request.query("name").unwrap_or_default();
    let form = request.form(&name).map(|value| ["form".to_owned(), value]);
    let cookie = request
        .cookie(&name)
        .map(|value| ["cookie".to_owned(), value.to_owned()]);
    let header = request
        .header(&name)
        .map(|value| ["header".to_owned(), value.to_owned()]);
    Response::json(
        &[form, cookie, header]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>(),
    )
}

/// The bytes of the instance's memory.
fn memory() -> String {
    (core::arch::wasm32::memory_size::<0>() * PAGE_BYTES).to_string()
}

/// Keeps and releases blocks of many sizes in a random order, and looks whether one wrote into
/// another.
fn heap() -> String {
    thread_local! {
        static BLOCKS: RefCell<(u32, Vec<Vec<u8>>)> = RefCell::new((1, vec![Vec::new(); KEPT]));
    }
    BLOCKS.with_borrow_mut(|(random, blocks)| {
        for _ in 0..HEAP_ROUNDS {
            *random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = (*random >> 8) as usize % KEPT;
            let mark = at as u8;
            assert!(
                blocks[at].iter().all(|byte| *byte == mark),
                "a block was overwritten"
            );
            blocks[at] = vec![mark; (*random >> 17 >> (*random & 7)) as usize];
        }
    });
    memory()
}
