//! The programs that the documents show work as they are printed.

use dolmen_runtime::{Body, FetchRequest, Target};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::world::in_world;

/// The first JavaScript program of a page.
fn program(page: &str) -> &str {
    let (_, rest) = page.split_once("```js\n").unwrap();
    rest.split_once("\n```").unwrap().0
}

#[test]
fn the_chat_room_of_the_readme_and_of_the_guide_works() {
    for page in [
        include_str!("../../../../README.md"),
        include_str!("../../../../docs/guide/overview.md"),
    ] {
        let program = program(page);
        assert!(program.contains("class ChatRoom"), "{program}");
        in_world(program, async |w| {
            let say = async |args: &str| w.ok("CHATROOM/lobby", "say", args).await;
            assert_eq!(say(r#"["ann", "hello"]"#).await, json!(1));
            assert_eq!(say(r#"["bob", "hi"]"#).await, json!(2));
            w.restart().await;
            let request = FetchRequest {
                method: Method::GET,
                url: "http://localhost/fetch/CHAT_ROOM/lobby/".to_owned(),
                path: "/".to_owned(),
                query: String::new(),
                headers: HeaderMap::new(),
                body: Body::None,
                target: Target::Root,
            };
            let response = w.fetch("CHATROOM/lobby", request).await.unwrap();
            let messages: Value = serde_json::from_slice(response.body.bytes().unwrap()).unwrap();
            let said: Vec<_> = messages
                .as_array()
                .unwrap()
                .iter()
                .map(|message| (message["who"].as_str(), message["text"].as_str()))
                .collect();
            let expected = [(Some("ann"), Some("hello")), (Some("bob"), Some("hi"))];
            assert_eq!(said, expected);
            assert!(messages[0]["at"].is_number(), "{messages}");
        });
    }
}

#[test]
fn the_class_that_the_page_of_the_api_shows_loads() {
    let page = include_str!("../../../../docs/guide/js-api.md");
    let program = program(page).replace('…', "");
    in_world(&program, async |w| {
        assert_eq!(w.ok("ROOM/a", "anyMethod", "[1, 2]").await, json!(null));
    });
}
