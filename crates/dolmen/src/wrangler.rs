//! The configuration file of wrangler, `wrangler.toml`, `wrangler.json` or `wrangler.jsonc`: what of
//! it says something about the worker, and what Dolmen does not do.
//!
//! Unique keys are those of `wrangler dev`, `<name>-<class>`, so that its folders open as they are.
//! It knows no migrations: a class that was renamed or transferred may have its objects in the folder
//! of an earlier name, which is one more key to look for.

use std::path::Path;

use dolmen_js::{Binding, Bindings};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::manifest::ObjectBinding;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Toml,
    Json,
}

impl Format {
    /// The format of a file of wrangler, which has one of three names.
    pub fn of(path: &Path) -> Option<Self> {
        match path.file_name()?.to_str()? {
            "wrangler.toml" => Some(Self::Toml),
            "wrangler.json" | "wrangler.jsonc" => Some(Self::Json),
            _ => None,
        }
    }
}

/// What a file says.
#[derive(Debug)]
pub(crate) struct File {
    /// Relative to the file's folder.
    pub main: Option<String>,
    pub objects: Vec<ObjectBinding>,
    pub bindings: Bindings,
    pub notes: Vec<String>,
}

#[derive(Deserialize)]
struct Typed {
    name: Option<String>,
    main: Option<String>,
    #[serde(default)]
    durable_objects: DurableObjects,
    #[serde(default)]
    vars: Map<String, Value>,
    #[serde(default)]
    migrations: Vec<Migration>,
    #[serde(default)]
    services: Vec<Service>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Default, Deserialize)]
struct DurableObjects {
    #[serde(default)]
    bindings: Vec<DurableObject>,
}

#[derive(Deserialize)]
struct DurableObject {
    name: String,
    class_name: String,
    script_name: Option<String>,
}

#[derive(Deserialize)]
struct Migration {
    #[serde(default)]
    tag: String,
    #[serde(default)]
    new_classes: Vec<String>,
    #[serde(default)]
    new_sqlite_classes: Vec<String>,
    #[serde(default)]
    renamed_classes: Vec<Renamed>,
    #[serde(default)]
    deleted_classes: Vec<String>,
    #[serde(default)]
    transferred_classes: Vec<Transferred>,
}

#[derive(Deserialize)]
struct Renamed {
    from: String,
    to: String,
}

#[derive(Deserialize)]
struct Transferred {
    from: String,
    from_script: String,
    to: String,
}

#[derive(Deserialize)]
struct Service {
    binding: String,
    service: String,
    entrypoint: Option<String>,
    props: Option<Value>,
}

/// What says how and where to deploy, or is for tools: nothing that a worker sees here.
const OF_DEPLOYMENT: [&str; 29] = [
    "$schema",
    "account_id",
    "base_dir",
    "compatibility_date",
    "compatibility_flags",
    "dev",
    "find_additional_modules",
    "first_party_worker",
    "jsx_factory",
    "jsx_fragment",
    "keep_names",
    "keep_vars",
    "legacy_env",
    "limits",
    "logpush",
    "minify",
    "no_bundle",
    "node_compat",
    "observability",
    "placement",
    "preserve_file_names",
    "preview_urls",
    "route",
    "routes",
    "send_metrics",
    "tsconfig",
    "upload_source_maps",
    "usage_model",
    "workers_dev",
];

/// Reads a file. The message of an error is what follows the file's name.
pub(crate) fn read(format: Format, text: &str) -> Result<File, String> {
    let typed: Typed = match format {
        Format::Toml => toml::from_str(text).map_err(|error| {
            let before = &text[..error.span().map_or(0, |span| span.start.min(text.len()))];
            let line = before.matches('\n').count() + 1;
            let column = before
                .rsplit('\n')
                .next()
                .unwrap_or_default()
                .chars()
                .count()
                + 1;
            format!(":{line}:{column}: {}", error.message())
        })?,
        Format::Json => {
            let value = jsonc_parser::parse_to_serde_value::<Value>(text, &Default::default())
                .map_err(|error| {
                    format!(
                        ":{}:{}: {}",
                        error.line_display(),
                        error.column_display(),
                        error.kind()
                    )
                })?;
            serde_json::from_value(value).map_err(|error| format!(": {error}"))?
        }
    };
    typed.file().map_err(|message| format!(": {message}"))
}

impl Typed {
    fn file(self) -> Result<File, String> {
        let name = self
            .name
            .as_deref()
            .ok_or("it has no `name`, from which the folders of the objects get theirs")?;
        let mut file = File {
            main: self.main.clone(),
            objects: Vec::new(),
            bindings: Bindings::default(),
            notes: Vec::new(),
        };
        for object in &self.durable_objects.bindings {
            self.object(name, object, &mut file)?;
        }
        for (key, value) in &self.vars {
            file.bindings.add(key, Binding::Var(value.clone()))?;
        }
        for service in &self.services {
            let binding = if service.service == name {
                Binding::Entrypoint {
                    name: service.entrypoint.clone().unwrap_or("default".to_owned()),
                    props: service.props.clone(),
                }
            } else {
                file.notes.push(format!(
                    "Dolmen does not run the other worker `{}`: using env.{} throws an error",
                    service.service, service.binding
                ));
                Binding::Absent {
                    kind: format!("services: the other worker `{}`", service.service),
                }
            };
            file.bindings.add(&service.binding, binding)?;
        }
        for (key, value) in &self.rest {
            if !OF_DEPLOYMENT.contains(&key.as_str()) {
                not_done(key, value, &mut file)?;
            }
        }
        Ok(file)
    }

    fn object(&self, worker: &str, object: &DurableObject, file: &mut File) -> Result<(), String> {
        let DurableObject {
            name, class_name, ..
        } = object;
        if let Some(script) = object.script_name.as_ref().filter(|it| *it != worker) {
            return Err(format!(
                "{name} is bound to the class `{class_name}` of another worker, `{script}`, which Dolmen does not run"
            ));
        }
        if let Some(other) = file.objects.iter().find(|it| it.class == *class_name) {
            let other = other.name.clone();
            return file.bindings.add(name, Binding::Namespace(other));
        }
        file.objects.push(ObjectBinding {
            name: name.clone(),
            class: class_name.clone(),
            unique_keys: self.unique_keys(worker, class_name)?,
        });
        Ok(())
    }

    /// The key of a class, and those that it had before it was renamed or transferred, the latest
    /// first.
    fn unique_keys(&self, worker: &str, class: &str) -> Result<Vec<String>, String> {
        let mut keys = vec![format!("{worker}-{class}")];
        let mut add = |key: String| {
            if !keys.contains(&key) {
                keys.push(key);
            }
        };
        let mut class = class;
        for migration in self.migrations.iter().rev() {
            let made = migration
                .new_classes
                .iter()
                .chain(&migration.new_sqlite_classes);
            if made.into_iter().any(|it| it == class) {
                break;
            }
            if migration.deleted_classes.iter().any(|it| it == class) {
                return Err(format!(
                    "the class `{class}` is bound, but the migration {:?} deletes it",
                    migration.tag
                ));
            }
            if let Some(found) = migration
                .transferred_classes
                .iter()
                .find(|it| it.to == class)
            {
                add(format!("{}-{}", found.from_script, found.from));
                break;
            }
            if let Some(found) = migration.renamed_classes.iter().find(|it| it.to == class) {
                class = &found.from;
                add(format!("{worker}-{class}"));
            }
        }
        Ok(keys)
    }
}

/// Notes what a key asks for; what it binds gets a name in `env` that says so when it is used.
fn not_done(key: &str, value: &Value, file: &mut File) -> Result<(), String> {
    let mut names = Vec::new();
    bound(value, &mut names);
    for name in &names {
        let kind = key.to_owned();
        file.bindings.add(name, Binding::Absent { kind })?;
    }
    file.notes.push(match key {
        "env" => "the environments under `env` are not read, only the top level is".to_owned(),
        _ if names.is_empty() => format!("`{key}` is not implemented in Dolmen"),
        _ => format!(
            "`{key}` is not implemented in Dolmen: using env.{} throws an error",
            names.join(", env.")
        ),
    });
    Ok(())
}

/// The names that a part of the file binds: `binding`, or the `name` of an entry in a list.
fn bound<'v>(value: &'v Value, names: &mut Vec<&'v str>) {
    match value {
        Value::Array(list) => {
            for entry in list {
                let named = ["binding", "name"]
                    .iter()
                    .find_map(|key| entry.get(*key)?.as_str());
                names.extend(named);
            }
        }
        Value::Object(map) => match map.get("binding").and_then(Value::as_str) {
            Some(name) => names.push(name),
            None => {
                for part in ["producers", "bindings"] {
                    map.get(part)
                        .into_iter()
                        .for_each(|part| bound(part, names));
                }
            }
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str = r#"
name = "chat"
main = "src/index.ts"
compatibility_date = "2026-11-01"
compatibility_flags = ["nodejs_compat"]

[[durable_objects.bindings]]
name = "ROOM"
class_name = "ChatRoom"

[[migrations]]
tag = "v1"
new_sqlite_classes = ["ChatRoom"]

[vars]
GREETING = "hi"
LIMITS = { most = 3 }

[[services]]
binding = "ADMIN"
service = "chat"
entrypoint = "Admin"
"#;

    const JSONC: &str = r#"{
  // the same
  "$schema": "node_modules/wrangler/config-schema.json",
  "name": "chat",
  "main": "src/index.ts",
  "compatibility_date": "2026-11-01",
  "durable_objects": { "bindings": [{ "name": "ROOM", "class_name": "ChatRoom" }], },
  "migrations": [{ "tag": "v1", "new_sqlite_classes": ["ChatRoom"] }],
  "vars": { "GREETING": "hi", "LIMITS": { "most": 3 } },
  "services": [{ "binding": "ADMIN", "service": "chat", "entrypoint": "Admin" }],
}"#;

    fn toml(rest: &str) -> Result<File, String> {
        read(Format::Toml, &format!("name = \"chat\"\n{rest}"))
    }

    fn keys(migrations: &str) -> Vec<String> {
        let binding = "durable_objects.bindings = [{ name = \"ROOM\", class_name = \"Room\" }]\n";
        let file = toml(&format!("{binding}{migrations}")).unwrap();
        file.objects[0].unique_keys.clone()
    }

    #[test]
    fn toml_and_jsonc_say_the_same() {
        for (format, text) in [(Format::Toml, TOML), (Format::Json, JSONC)] {
            let file = read(format, text).unwrap();
            assert_eq!(file.main.as_deref(), Some("src/index.ts"));
            assert_eq!(
                file.objects,
                [ObjectBinding {
                    name: "ROOM".into(),
                    class: "ChatRoom".into(),
                    unique_keys: vec!["chat-ChatRoom".into()],
                }]
            );
            let bindings: Vec<_> = file.bindings.iter().collect();
            assert_eq!(
                bindings,
                [
                    ("GREETING", &Binding::Var("hi".into())),
                    ("LIMITS", &Binding::Var(serde_json::json!({"most": 3}))),
                    (
                        "ADMIN",
                        &Binding::Entrypoint {
                            name: "Admin".into(),
                            props: None
                        }
                    ),
                ]
            );
            assert_eq!(file.notes, Vec::<String>::new());
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (format, text, part) in [
            (Format::Toml, "name = \"a\"\nmain = [", ":2:"),
            (Format::Toml, "name = 1", "expected a string"),
            (Format::Toml, "main = \"a.js\"", "has no `name`"),
            (Format::Json, "{\n  \"name\": }", ":2:"),
            (Format::Json, "[]", "invalid type"),
            (
                Format::Json,
                "{\"name\": \"a\", \"durable_objects\": {\"bindings\": [{\"name\": \"A\"}]}}",
                "missing field `class_name`",
            ),
        ] {
            let message = read(format, text).unwrap_err();
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn a_class_of_another_worker_is_refused() {
        let of = |script: &str| {
            toml(&format!(
                "durable_objects.bindings = [{{ name = \"A\", class_name = \"B\", script_name = \"{script}\" }}]"
            ))
        };
        assert_eq!(of("chat").unwrap().objects.len(), 1);
        let message = of("other").unwrap_err();
        assert!(message.contains("another worker, `other`"), "{message}");
    }

    #[test]
    fn a_class_that_is_bound_twice_is_one_namespace() {
        let file = toml("durable_objects.bindings = [{ name = \"A\", class_name = \"C\" }, { name = \"B\", class_name = \"C\" }]").unwrap();
        assert_eq!(file.objects.len(), 1);
        let bindings: Vec<_> = file.bindings.iter().collect();
        assert_eq!(bindings, [("B", &Binding::Namespace("A".into()))]);
    }

    #[test]
    fn earlier_names_of_a_class_are_keys_too() {
        for (migrations, expected) in [
            ("", &["chat-Room"][..]),
            (
                "migrations = [{ tag = \"1\", new_classes = [\"A\"] }, { tag = \"2\", renamed_classes = [{ from = \"A\", to = \"B\" }] }, { tag = \"3\", renamed_classes = [{ from = \"B\", to = \"Room\" }] }]",
                &["chat-Room", "chat-B", "chat-A"],
            ),
            (
                "migrations = [{ tag = \"1\", new_classes = [\"Room\"] }, { tag = \"2\", renamed_classes = [{ from = \"Room\", to = \"B\" }] }, { tag = \"3\", renamed_classes = [{ from = \"B\", to = \"Room\" }] }]",
                &["chat-Room", "chat-B"],
            ),
            (
                "migrations = [{ tag = \"1\", renamed_classes = [{ from = \"A\", to = \"Room\" }] }, { tag = \"2\", deleted_classes = [\"Room\"] }, { tag = \"3\", new_sqlite_classes = [\"Room\"] }]",
                &["chat-Room"],
            ),
            (
                "migrations = [{ tag = \"1\", transferred_classes = [{ from = \"A\", from_script = \"old\", to = \"Room\" }] }]",
                &["chat-Room", "old-A"],
            ),
        ] {
            assert_eq!(keys(migrations), expected, "{migrations}");
        }
    }

    #[test]
    fn a_class_that_a_migration_deletes_cannot_be_bound() {
        let message = toml("durable_objects.bindings = [{ name = \"ROOM\", class_name = \"Room\" }]\nmigrations = [{ tag = \"v1\", new_classes = [\"Room\"] }, { tag = \"v2\", deleted_classes = [\"Room\"] }]").unwrap_err();
        assert!(
            message.contains("`Room` is bound, but the migration \"v2\" deletes it"),
            "{message}"
        );
    }

    #[test]
    fn what_dolmen_does_not_do_is_noted_and_bound_to_an_error() {
        let file = toml(
            r#"
kv_namespaces = [{ binding = "CACHE", id = "1" }, { binding = "MORE", id = "2" }]
queues = { producers = [{ binding = "JOBS", queue = "jobs" }], consumers = [{ queue = "jobs" }] }
ai = { binding = "AI" }
send_email = [{ name = "MAIL" }]
unsafe = { bindings = [{ name = "LIMITER", type = "ratelimit" }] }
triggers = { crons = ["* * * * *"] }
services = [{ binding = "AUTH", service = "auth" }]
observability = { enabled = true }
routes = [{ pattern = "example.com" }]
env = { production = { vars = { A = "b" } } }
"#,
        )
        .unwrap();
        let absent: Vec<_> = file
            .bindings
            .iter()
            .map(|(name, binding)| match binding {
                Binding::Absent { kind } => (name, kind.as_str()),
                other => panic!("{name} is {other:?}"),
            })
            .collect();
        let mut names: Vec<_> = absent.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["AI", "AUTH", "CACHE", "JOBS", "LIMITER", "MAIL", "MORE"]
        );
        assert!(absent.contains(&("CACHE", "kv_namespaces")));
        let notes = file.notes.join("\n");
        for part in [
            "`kv_namespaces` is not implemented in Dolmen: using env.CACHE, env.MORE throws",
            "`triggers` is not implemented in Dolmen",
            "environments under `env` are not read",
            "the other worker `auth`: using env.AUTH throws",
        ] {
            assert!(notes.contains(part), "{notes}");
        }
        for part in ["observability", "routes"] {
            assert!(!notes.contains(part), "{notes}");
        }
    }
}
