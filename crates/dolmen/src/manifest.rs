//! A manifest: which namespace is which class, said explicitly.
//!
//! YAML or JSON, which is YAML too: `objects: {ROOMS: ChatRoom}`.

use std::{fmt, path::Path};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};

use crate::{
    error::{Error, ErrorKind, Result},
    namespaces::{MAX_NAMESPACE_BYTES, is_namespace_name},
};

/// A checked manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    source: String,
    objects: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    objects: Objects,
}

impl Manifest {
    /// Reads a manifest.
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

    /// Checks the text of a manifest. `source` is how errors call it.
    ///
    /// # Errors
    /// `Manifest`, with the place, if it is not one.
    pub fn parse(source: &str, text: &str) -> Result<Self> {
        let wrong = |message: String| Error::new(ErrorKind::Manifest, message);
        let typed: Typed = serde_yaml_ng::from_str(text).map_err(|error| {
            let place = error
                .location()
                .map(|at| format!(":{}:{}", at.line(), at.column()))
                .unwrap_or_default();
            wrong(format!(
                "{source}{place}: {error}; a manifest says `objects: {{NAMESPACE: Class}}`"
            ))
        })?;
        let objects = typed.objects.0;
        if objects.is_empty() {
            return Err(wrong(format!(
                "{source}: `objects` names no namespace; write `objects: {{NAMESPACE: Class}}`"
            )));
        }
        if let Some((name, _)) = objects.iter().find(|(name, _)| !is_namespace_name(name)) {
            return Err(wrong(format!(
                "{source}: {name:?} cannot name a namespace: use a letter or _, then letters, digits and _, {MAX_NAMESPACE_BYTES} at most"
            )));
        }
        Ok(Self {
            source: source.to_owned(),
            objects,
        })
    }

    /// How errors call it.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// The namespaces and their classes, in order.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (&str, &str)> {
        self.objects
            .iter()
            .map(|(name, class)| (name.as_str(), class.as_str()))
    }
}

/// A map that keeps its order and refuses to say anything twice.
struct Objects(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Objects {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Objects;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of namespaces to classes")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Objects, A::Error> {
                let mut pairs: Vec<(String, String)> = Vec::new();
                while let Some((name, class)) = map.next_entry::<String, String>()? {
                    if pairs.iter().any(|(known, _)| *known == name) {
                        return Err(de::Error::custom(format!(
                            "the namespace {name} is named twice"
                        )));
                    }
                    pairs.push((name, class));
                }
                Ok(Objects(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_and_json_say_the_same() {
        let yaml = Manifest::parse(
            "m",
            "# rooms\nobjects:\n  ROOMS: ChatRoom\n  OTHER: \"Counter\"\n",
        )
        .unwrap();
        let json = Manifest::parse(
            "m",
            "{\"objects\": {\"ROOMS\": \"ChatRoom\", \"OTHER\": \"Counter\"}}",
        )
        .unwrap();
        assert_eq!(yaml, json);
        assert_eq!(
            yaml.objects().collect::<Vec<_>>(),
            [("ROOMS", "ChatRoom"), ("OTHER", "Counter")]
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, part) in [
            ("", "objects"),
            ("objects:", "names no namespace"),
            ("objects: {}", "names no namespace"),
            ("objects: [ChatRoom]", "a map of namespaces to classes"),
            ("objects: {A: B}\nobject: {}", "unknown field `object`"),
            ("objekts: {A: B}", "unknown field `objekts`"),
            ("objects: {A: [B]}", "m:1:"),
            ("objects: {A: B, A: C}", "the namespace A is named twice"),
            ("objects: {A: B", "m:2:1"),
            ("objects: {a-b: C}", "\"a-b\" cannot name a namespace"),
            ("objects: {'': C}", "cannot name a namespace"),
            ("objects: {../x: C}", "cannot name a namespace"),
            ("objects: {2a: C}", "cannot name a namespace"),
            ("{\"objects\": {\"A\": \"B\"}} x", "more than one document"),
        ] {
            let error = Manifest::parse("m", text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Manifest);
            assert!(error.message().contains(part), "{text:?}: {error}");
        }
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
