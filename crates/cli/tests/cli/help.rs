//! The manual that is built in.

use super::process::run;

const TOPICS: [&str; 7] = [
    "overview",
    "workers",
    "js-api",
    "wasm",
    "gateway",
    "storage",
    "troubleshooting",
];

#[test]
fn help_lists_the_topics() {
    let ended = run(&["help"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    for topic in TOPICS {
        assert!(
            ended.stdout.contains(&format!("dolmen help {topic} ")),
            "{}",
            ended.stdout
        );
    }
}

#[test]
fn each_page_has_the_text_of_the_docs() {
    for (topic, sentences) in [
        (
            "overview",
            [
                "exports.objects = { ChatRoom };",
                "COUNTER2_D_VIEW",
                "A second signal ends it at once",
            ],
        ),
        (
            "workers",
            [
                "dolmen --bundle wrangler.toml",
                "uniqueKey: chat-ChatRoom",
                "--storage .wrangler/state/v3/do",
            ],
        ),
        (
            "js-api",
            [
                "storage.transaction(fn)",
                "6 retries",
                "env.CHAT_ROOM.getByName",
            ],
        ),
        (
            "gateway",
            [
                "POST /rpc/:namespace/:name/:method",
                "--dev-errors",
                "unknown_namespace",
            ],
        ),
        (
            "wasm",
            [
                "ANY /do/:name/*",
                "handle_zerobuf(request: i32) -> response: i32",
                "panic: MESSAGE",
            ],
        ),
        ("storage", ["fdatasync", "_cf_KV", "metadata.sqlite"]),
        (
            "troubleshooting",
            ["actor_start_failed", "storage_error", "exit code"],
        ),
    ] {
        let ended = run(&["help", topic]);
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (Some(0), ""),
            "{topic}"
        );
        let text = ended
            .stdout
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        for sentence in sentences {
            assert!(text.contains(sentence), "{sentence:?} is not in {topic}");
        }
        for mark in ["\u{1b}", "```", "**", "|--"] {
            assert!(!ended.stdout.contains(mark), "{mark:?} is in {topic}");
        }
    }
}

#[test]
fn an_unknown_topic_lists_those_there_are() {
    run(&["help", "gatway"]).failed(
        2,
        &[
            "\"gatway\"",
            "overview, workers, js-api, wasm, gateway, storage, troubleshooting",
        ],
    );
}
