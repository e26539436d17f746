//! A manifest: which namespace is which class, and the variables, said explicitly.
//!
//! YAML or JSON, which is YAML too: `objects: {ROOMS: ChatRoom}`. The files of wrangler are read as
//! well (`wrangler.rs`), known by their names.

mod entries;

use std::path::{Path, PathBuf};

use dolmen_js::{Binding, Bindings};
use dolmen_storage::NamespaceKey;
use serde::{Deserialize, Deserializer, de::value::MapAccessDeserializer};

use self::entries::Entries;
use crate::{
    error::{Error, ErrorKind, Result},
    namespaces::{MAX_NAMESPACE_BYTES, is_namespace_name},
    wrangler,
};

/// A checked manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    source: String,
    objects: Vec<ObjectBinding>,
    bindings: Bindings,
    main: Option<PathBuf>,
    notes: Vec<String>,
}

/// A namespace that a manifest names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectBinding {
    pub name: String,
    pub class: String,
    /// The unique keys under which its objects may be stored already; the first one is for new ones.
    pub unique_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    objects: Option<Entries<Class>>,
    vars: Option<Entries<serde_json::Value>>,
}

/// What an entry of `objects` says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Class {
    class: String,
    unique_key: Option<String>,
}

const SHAPE: &str = "a manifest says `objects: {NAMESPACE: Class}`, or `{class: Class, uniqueKey: \"chat-ChatRoom\"}` for the class, and `vars: {NAME: value}`";

impl Manifest {
    /// Reads a manifest. A file named `wrangler.toml`, `wrangler.json` or `wrangler.jsonc` is read as
    /// wrangler does.
    ///
    /// # Errors
    /// `Manifest`, with the place, if it cannot be read or is not one.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::because(
                ErrorKind::Manifest,
                format!("the manifest {} cannot be read: {error}", path.display()),
                error,
            )
        })?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Whether [`Manifest::from_file`] reads this file as wrangler does, by its name.
    pub fn is_wrangler_file(path: impl AsRef<Path>) -> bool {
        wrangler::Format::of(path.as_ref()).is_some()
    }

    /// Checks the text of a manifest. `source` is how errors call it, and by its name it may be a
    /// file of wrangler.
    ///
    /// # Errors
    /// `Manifest`, with the place, if it is not one.
    pub fn parse(source: &str, text: &str) -> Result<Self> {
        let path = Path::new(source);
        let read = match wrangler::Format::of(path) {
            Some(format) => wrangler::read(format, text).map(|file| Self {
                source: source.to_owned(),
                main: file
                    .main
                    .map(|main| path.parent().unwrap_or(Path::new("")).join(main)),
                objects: file.objects,
                bindings: file.bindings,
                notes: file.notes,
            }),
            None => Self::typed(source, text),
        };
        let manifest =
            read.map_err(|message| Error::new(ErrorKind::Manifest, format!("{source}{message}")))?;
        manifest
            .check()
            .map_err(|message| Error::new(ErrorKind::Manifest, format!("{source}: {message}")))?;
        Ok(manifest)
    }

    /// The message of an error begins with the place.
    fn typed(source: &str, text: &str) -> Result<Self, String> {
        let typed: Typed = serde_yaml_ng::from_str(text).map_err(|error| {
            let place = error
                .location()
                .map(|at| format!(":{}:{}", at.line(), at.column()))
                .unwrap_or_default();
            format!("{place}: {error}; {SHAPE}")
        })?;
        if typed.objects.is_none() && typed.vars.is_none()
            || typed.objects.as_ref().is_some_and(|it| it.0.is_empty())
        {
            return Err(format!(": `objects` names no namespace; {SHAPE}"));
        }
        let objects = typed.objects.map_or_else(Vec::new, |objects| objects.0);
        let mut bindings = Bindings::default();
        for (name, value) in typed.vars.map_or_else(Vec::new, |vars| vars.0) {
            bindings
                .add(&name, Binding::Var(value))
                .map_err(|message| format!(": {message}"))?;
        }
        Ok(Self {
            source: source.to_owned(),
            objects: objects
                .into_iter()
                .map(|(name, class)| ObjectBinding {
                    unique_keys: vec![class.unique_key.unwrap_or_else(|| name.clone())],
                    class: class.class,
                    name,
                })
                .collect(),
            bindings,
            main: None,
            notes: Vec::new(),
        })
    }

    fn check(&self) -> Result<(), String> {
        for (index, object) in self.objects.iter().enumerate() {
            if !is_namespace_name(&object.name) {
                return Err(format!(
                    "{:?} cannot name a namespace: use a letter or _, then letters, digits and _, {MAX_NAMESPACE_BYTES} at most",
                    object.name
                ));
            }
            for key in &object.unique_keys {
                NamespaceKey::new(key).map_err(|error| format!("{}: {error}", object.name))?;
                let same = |other: &&ObjectBinding| other.unique_keys.contains(key);
                if let Some(other) = self.objects[..index].iter().find(same) {
                    return Err(format!(
                        "{} and {} both have the unique key {key:?}; their objects would be in one folder",
                        other.name, object.name
                    ));
                }
            }
        }
        let taken = |name: &str| self.objects.iter().any(|object| object.name == name);
        match self.bindings.iter().find(|(name, _)| taken(name)) {
            Some((name, _)) => Err(format!("{name} is bound twice")),
            None => Ok(()),
        }
    }

    /// How errors call it.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// The namespaces, in order; none if they derive from the bundle's exports.
    pub(crate) fn objects(&self) -> &[ObjectBinding] {
        &self.objects
    }

    /// What `env` has beside the namespaces: for [`Bundle::from_file_with`](crate::Bundle::from_file_with).
    pub fn bindings(&self) -> &Bindings {
        &self.bindings
    }

    /// The bundle that a file of wrangler names as its `main`.
    pub fn main(&self) -> Option<&Path> {
        self.main.as_deref()
    }

    /// What the file asks for and Dolmen does not do, a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// An entry is a class, or a class with more.
impl entries::Entry for Class {
    fn deserialize_entry<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> serde::de::Visitor<'de> for Either {
            type Value = Class;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a class, or a map with `class` and `uniqueKey`")
            }

            fn visit_str<E>(self, class: &str) -> Result<Class, E> {
                Ok(Class {
                    class: class.to_owned(),
                    unique_key: None,
                })
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Class, A::Error> {
                Class::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl entries::Entry for serde_json::Value {
    fn deserialize_entry<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(manifest: &Manifest) -> Vec<(&str, &str, &str)> {
        manifest
            .objects()
            .iter()
            .map(|it| (&*it.name, &*it.class, &*it.unique_keys[0]))
            .collect()
    }

    #[test]
    fn yaml_and_json_say_the_same() {
        let yaml = Manifest::parse(
            "m",
            "# rooms\nobjects:\n  ROOMS: ChatRoom\n  OTHER: {class: \"Counter\", uniqueKey: chat-Counter}\nvars: {A: text, B: {c: [1, true, null]}}\n",
        )
        .unwrap();
        let json = Manifest::parse(
            "m",
            "{\"objects\": {\"ROOMS\": \"ChatRoom\", \"OTHER\": {\"class\": \"Counter\", \"uniqueKey\": \"chat-Counter\"}}, \"vars\": {\"A\": \"text\", \"B\": {\"c\": [1, true, null]}}}",
        )
        .unwrap();
        assert_eq!(yaml, json);
        assert_eq!(
            pairs(&yaml),
            [
                ("ROOMS", "ChatRoom", "ROOMS"),
                ("OTHER", "Counter", "chat-Counter")
            ]
        );
        let vars: Vec<_> = yaml.bindings().iter().collect();
        assert_eq!(
            vars,
            [
                ("A", &Binding::Var("text".into())),
                (
                    "B",
                    &Binding::Var(serde_json::json!({"c": [1, true, null]}))
                )
            ]
        );
    }

    #[test]
    fn variables_alone_leave_the_namespaces_to_the_bundle() {
        let manifest = Manifest::parse("m", "vars: {A: 1}").unwrap();
        assert!(manifest.objects().is_empty());
        assert_eq!(manifest.bindings().iter().count(), 1);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, part) in [
            ("", "objects"),
            ("objects:", "names no namespace"),
            ("objects: {}", "names no namespace"),
            ("objects: [ChatRoom]", "a map of names"),
            ("objects: {A: B}\nobject: {}", "unknown field `object`"),
            ("objekts: {A: B}", "unknown field `objekts`"),
            ("objects: {A: [B]}", "m:1:"),
            ("objects: {A: {clas: B}}", "unknown field `clas`"),
            ("objects: {A: {uniqueKey: B}}", "missing field `class`"),
            ("objects: {A: B, A: C}", "A is named twice"),
            ("objects: {A: B", "m:2:1"),
            ("objects: {a-b: C}", "\"a-b\" cannot name a namespace"),
            ("objects: {'': C}", "cannot name a namespace"),
            ("objects: {../x: C}", "cannot name a namespace"),
            ("objects: {2a: C}", "cannot name a namespace"),
            (
                "objects: {A: {class: B, uniqueKey: ''}}",
                "cannot be a folder name",
            ),
            (
                "objects: {A: {class: B, uniqueKey: ../x}}",
                "cannot be a folder name",
            ),
            (
                "objects: {A: {class: B, uniqueKey: 'x\\y'}}",
                "cannot be a folder name",
            ),
            (
                "objects: {A: {class: B, uniqueKey: .x}}",
                "cannot be a folder name",
            ),
            (
                "objects: {A: B, C: {class: D, uniqueKey: A}}",
                "A and C both have the unique key \"A\"",
            ),
            ("objects: {A: B}\nvars: {A: 1}", "A is bound twice"),
            ("vars: {A: 1, A: 2}", "A is named twice"),
            ("vars: {'': 1}", "cannot name a member of `env`"),
            ("vars: [1]", "a map of names"),
            ("{\"objects\": {\"A\": \"B\"}} x", "more than one document"),
        ] {
            let error = Manifest::parse("m", text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Manifest);
            assert!(error.message().contains(part), "{text:?}: {error}");
        }
        let long = format!(
            "objects: {{A: {{class: B, uniqueKey: {}}}}}",
            "x".repeat(256)
        );
        let error = Manifest::parse("m", &long).unwrap_err();
        assert!(error.message().contains("255 bytes"), "{error}");
    }

    #[test]
    fn a_manifest_that_is_not_there_is_named() {
        let error = Manifest::from_file("/nowhere/manifest.yaml").unwrap_err();
        assert!(
            error
                .message()
                .starts_with("the manifest /nowhere/manifest.yaml cannot be read"),
            "{error}"
        );
    }
}
