//! A body is copied once into the guest's memory and once out of it.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::Method;

use crate::{
    world::{in_world, module, request},
    zerobuf::copies,
};

#[test]
fn a_body_is_written_once_and_read_once() {
    let echo = module(
        "",
        "(func $handle (param $r i32) (result i32)
           (call $respond (i32.const 200) (i32.const 0) (call $slot (local.get $r) (i32.const 2)) (i32.const 0)))",
    );
    in_world(&echo, async |w| {
        let body = Bytes::from(vec![b'x'; copies::FROM]);
        let asked = request(Method::POST, "/", body.clone());
        let response = w.handle.fetch("HANDLER", "a", asked).await.unwrap();
        assert!(response.body.bytes().unwrap() == body);
        assert_eq!(copies::LARGE.load(Ordering::SeqCst), 2);
    });
}

#[tokio::test]
async fn what_is_not_copied_stays_where_it_is() {
    let body = Bytes::from_static(b"where it is");
    let asked = request(Method::POST, "/", body.clone());
    let read = crate::request::read(asked.body).await.unwrap();
    assert_eq!(read.as_ptr(), body.as_ptr(), "a request");
    let answered = crate::guest::Answered {
        status: 200,
        content_type: Bytes::new(),
        body: body.clone(),
        headers: Bytes::new(),
    };
    let response = crate::response::convert(answered).unwrap();
    let sent = response.body.bytes().unwrap();
    assert_eq!(sent.as_ptr(), body.as_ptr(), "a response");
}
