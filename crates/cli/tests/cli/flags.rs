//! Flags: the defaults that `--help` states, and every way of getting one wrong.

use super::process::run;

#[test]
fn the_flags_and_their_defaults_are_listed() {
    let help = run(&["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    let text = help.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for (flag, default) in [
        ("--addr", "127.0.0.1:8787"),
        ("--storage", "./var/durable-objects"),
        ("--bundle", ""),
        ("--manifest", ""),
        ("--var", ""),
        ("--gateway", ""),
        ("--cpu-timeout", "2s"),
        ("--idle-timeout", "5m"),
        ("--hibernation-timeout", "10s"),
        ("--no-alarms", ""),
        ("--memory-limit", "128MiB"),
        ("--max-body", "64MiB"),
        ("--max-message", "32MiB"),
        ("--socket-buffer", "16MiB"),
        ("--max-sockets", ""),
        ("--queue-limit", "1024"),
        ("--shards", ""),
        ("--egress", ""),
        ("--allow-private-network", ""),
        ("--dev-errors", ""),
        ("--log", "info"),
    ] {
        let at = text
            .find(&format!("{flag} "))
            .unwrap_or_else(|| panic!("{flag} in {text}"));
        let entry = text[at + 2..].split(" --").next().unwrap();
        assert!(
            default.is_empty() || entry.contains(&format!("[default: {default}]")),
            "{entry}"
        );
    }
    assert!(run(&["serve", "--help"]).stdout.contains("--cpu-timeout"));
    assert!(run(&["--version"]).stdout.starts_with("dolmen 0."));
}

#[test]
fn a_wrong_value_names_its_flag() {
    for (flags, part) in [
        (["--cpu-timeout", "2"], "write 2s or 2ms"),
        (["--cpu-timeout", "soon"], "2s, 500ms"),
        (["--cpu-timeout", "0"], "from 1ms"),
        (["--cpu-timeout", "5000y"], "to a year"),
        (["--idle-timeout", "x"], "is not a duration"),
        (["--idle-timeout", "1ns"], "or 0 for ever"),
        (["--hibernation-timeout", "1ns"], "or 0 for the time of"),
        (["--max-message", "big"], "64MiB, 128MB or 4096"),
        (["--socket-buffer", "x"], "64MiB, 128MB or 4096"),
        (["--max-sockets", "many"], "is not a whole number"),
        (["--memory-limit", "lots"], "64MiB, 128MB or 4096"),
        (["--memory-limit", "1KiB"], "1MiB at least"),
        (["--max-body", "1XB"], "is not a size"),
        (["--queue-limit", "0"], "from 1 to"),
        (["--queue-limit", "many"], "is not a whole number"),
        (["--shards", "0"], "from 1 to 1024"),
        (["--egress", "http://a"], "a rule has no path"),
        (
            ["--egress", "a.example,10.0.0.0/40"],
            "\"10.0.0.0/40\" is no rule",
        ),
        (["--egress", "!"], "is no rule"),
        (["--log", "a=b=c"], "is not a log filter"),
    ] {
        let ended = run(&flags);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(flags[0]), "{ended:?}");
        assert!(ended.stderr.contains(part), "{ended:?}");
        let serve = run(&["serve", flags[0], flags[1]]);
        assert_eq!(
            (serve.code, serve.stderr),
            (
                ended.code,
                ended.stderr.replace("Usage: dolmen", "Usage: dolmen serve")
            )
        );
    }
}

#[test]
fn an_unknown_word_is_a_usage_error() {
    for flags in [
        &["--adr", "x"][..],
        &["run"],
        &["--addr"],
        &["--bundle"],
        &["serve", "x"],
        &["help", "gateway", "more"],
    ] {
        let ended = run(flags);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("--help"), "{ended:?}");
    }
}
