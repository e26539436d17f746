//! Under which names a bundle's classes are reached: derived from the export names, or given by
//! a manifest.

use std::{collections::HashMap, path::Path};

use dolmen_runtime::NamespaceSpec;

use crate::{
    error::{Error, ErrorKind, Result},
    manifest::{Manifest, ObjectBinding},
};

/// Longest name of a namespace in bytes. It is a folder's name and a part of a URL.
pub(crate) const MAX_NAMESPACE_BYTES: usize = 128;
/// An object's file is named by its id in hex.
const OBJECT_ID_CHARS: usize = 64;

/// The namespace that an export's name gives: its words in upper case, joined by `_`.
///
/// A word begins at a capital after a small letter or a digit, at the last capital of a row that
/// a small letter follows, and after anything that is neither a letter nor a digit. `None` if no
/// name of a namespace comes out, which is a letter or `_` and then letters, digits and `_`, all ASCII.
///
/// ```
/// assert_eq!(dolmen::namespace_name("ChatRoom").as_deref(), Some("CHAT_ROOM"));
/// assert_eq!(dolmen::namespace_name("URLParser").as_deref(), Some("URL_PARSER"));
/// ```
pub fn namespace_name(export: &str) -> Option<String> {
    let letters: Vec<char> = export.chars().collect();
    let mut name = String::with_capacity(export.len() + 4);
    let mut gap = false;
    for (at, &letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            gap = true;
            continue;
        }
        let before = at.checked_sub(1).map(|before| letters[before]);
        let begins_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                let row_ends = before.is_uppercase()
                    && letters
                        .get(at + 1)
                        .is_some_and(|after| after.is_lowercase());
                before.is_lowercase() || before.is_numeric() || row_ends
            });
        if (gap || begins_word) && !name.is_empty() {
            name.push('_');
        }
        gap = false;
        name.extend(letter.to_uppercase());
    }
    is_namespace_name(&name).then_some(name)
}

/// Whether a namespace can have this name.
pub(crate) fn is_namespace_name(name: &str) -> bool {
    name.len() <= MAX_NAMESPACE_BYTES
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The namespaces of a bundle without a manifest, in the order of its exports.
pub(crate) fn derived(classes: &[String]) -> Result<Vec<NamespaceSpec>> {
    let mut exports = HashMap::new();
    classes
        .iter()
        .map(|class| {
            let name = namespace_name(class).ok_or_else(|| {
                Error::new(
                    ErrorKind::Bundle,
                    format!("the export `{class}` gives no name for a namespace; rename it, or name it in a manifest (--manifest)"),
                )
            })?;
            if let Some(other) = exports.insert(name.clone(), class) {
                return Err(Error::new(
                    ErrorKind::Bundle,
                    format!("the exports `{other}` and `{class}` both give the namespace {name}; rename one, or name them in a manifest (--manifest)"),
                ));
            }
            Ok(spec(&name, class))
        })
        .collect()
}

/// The namespaces that a manifest names, in its order, whose objects may be in `storage`.
pub(crate) fn mapped(
    manifest: &Manifest,
    classes: &[String],
    storage: &Path,
) -> Result<Vec<NamespaceSpec>> {
    manifest
        .objects()
        .iter()
        .map(|object| {
            let ObjectBinding { name, class, .. } = object;
            if classes.iter().any(|known| known == class) {
                return Ok(NamespaceSpec {
                    unique_key: unique_key(manifest, object, storage)?,
                    ..spec(name, class)
                });
            }
            Err(Error::new(
                ErrorKind::Manifest,
                format!(
                    "the manifest {} binds {name} to the class `{class}`, which the bundle does not export; it exports {}",
                    manifest.source(),
                    classes.join(", ")
                ),
            ))
        })
        .collect()
}

/// The key among those of a namespace under which there are objects; without any, the first.
fn unique_key(manifest: &Manifest, object: &ObjectBinding, storage: &Path) -> Result<String> {
    let keys = &object.unique_keys;
    if keys.len() == 1 {
        return Ok(keys[0].clone());
    }
    let used: Vec<_> = keys
        .iter()
        .filter(|key| has_objects(&storage.join(key)))
        .collect();
    match used[..] {
        [] => Ok(keys[0].clone()),
        [key] => Ok(key.clone()),
        _ => Err(Error::new(
            ErrorKind::Manifest,
            format!(
                "the migrations of {} rename the class `{}`, and {} has objects under more than one of its names: {used:?}. Move the folder that is not wanted away",
                manifest.source(),
                object.class,
                storage.display(),
            ),
        )),
    }
}

fn has_objects(folder: &Path) -> bool {
    let is_object = |name: &str| {
        name.strip_suffix(".sqlite")
            .is_some_and(|id| id.len() == OBJECT_ID_CHARS)
    };
    std::fs::read_dir(folder).is_ok_and(|mut entries| {
        entries
            .any(|entry| entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(is_object)))
    })
}

fn spec(name: &str, class: &str) -> NamespaceSpec {
    NamespaceSpec {
        name: name.to_owned(),
        class: class.to_owned(),
        unique_key: name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn an_export_gives_its_words_in_upper_case() {
        for (export, namespace) in [
            ("Counter", "COUNTER"),
            ("ChatRoom", "CHAT_ROOM"),
            ("URLParser", "URL_PARSER"),
            ("COUNTER", "COUNTER"),
            ("Chat_Room", "CHAT_ROOM"),
            ("chat-room", "CHAT_ROOM"),
            ("Counter2DView", "COUNTER2_D_VIEW"),
            ("counter", "COUNTER"),
            ("A", "A"),
            ("aB", "A_B"),
            ("MyURL", "MY_URL"),
            ("$cart", "CART"),
            ("__a--b__", "A_B"),
            ("v2", "V2"),
        ] {
            assert_eq!(
                namespace_name(export).as_deref(),
                Some(namespace),
                "{export}"
            );
        }
    }

    #[test]
    fn an_export_without_a_usable_name_gives_none() {
        for export in [
            "",
            "$",
            "_",
            "2Fast",
            "Zähler",
            "数",
            &"a".repeat(MAX_NAMESPACE_BYTES + 1),
        ] {
            assert_eq!(namespace_name(export), None, "{export}");
        }
        let error = derived(&classes(&["数"])).unwrap_err();
        assert!(
            error.message().contains("`数`") && error.message().contains("manifest"),
            "{error}"
        );
    }

    #[test]
    fn two_exports_with_one_namespace_are_an_error_that_names_both() {
        let error = derived(&classes(&["ChatRoom", "Counter", "chat_room"])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Bundle);
        for part in ["`ChatRoom`", "`chat_room`", "CHAT_ROOM"] {
            assert!(error.message().contains(part), "{error}");
        }
    }

    #[test]
    fn a_manifest_names_namespaces_in_its_own_order() {
        let manifest = Manifest::parse(
            "m.yaml",
            "objects: {ROOMS: ChatRoom, lobby: ChatRoom, A: Counter}",
        )
        .unwrap();
        let specs = mapped(
            &manifest,
            &classes(&["Counter", "ChatRoom"]),
            Path::new("nowhere"),
        )
        .unwrap();
        let pairs: Vec<_> = specs
            .iter()
            .map(|spec| (spec.name.as_str(), spec.class.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("ROOMS", "ChatRoom"),
                ("lobby", "ChatRoom"),
                ("A", "Counter")
            ]
        );
    }

    #[test]
    fn a_manifest_that_names_a_missing_class_lists_the_bundles() {
        let manifest = Manifest::parse("m.yaml", "objects: {ROOMS: Chatroom}").unwrap();
        let error = mapped(
            &manifest,
            &classes(&["Counter", "ChatRoom"]),
            Path::new("nowhere"),
        )
        .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Manifest);
        for part in ["m.yaml", "ROOMS", "`Chatroom`", "Counter, ChatRoom"] {
            assert!(error.message().contains(part), "{error}");
        }
    }

    #[test]
    fn a_renamed_class_keeps_the_folder_that_has_its_objects() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = Manifest::parse(
            "wrangler.toml",
            "name = \"chat\"\ndurable_objects.bindings = [{ name = \"ROOM\", class_name = \"Room\" }]\nmigrations = [{ tag = \"1\", renamed_classes = [{ from = \"Old\", to = \"Room\" }] }]",
        )
        .unwrap();
        let key = || {
            mapped(&manifest, &classes(&["Room"]), folder.path())
                .map(|specs| specs[0].unique_key.clone())
        };
        let object = |key: &str| {
            let folder = folder.path().join(key);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("metadata.sqlite"), "").unwrap();
            folder.join(format!("{}.sqlite", "a".repeat(64)))
        };
        assert_eq!(key().unwrap(), "chat-Room");
        std::fs::write(object("chat-Old"), "").unwrap();
        object("chat-Room");
        assert_eq!(key().unwrap(), "chat-Old");
        std::fs::write(object("chat-Room"), "").unwrap();
        let error = key().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Manifest);
        for part in ["wrangler.toml", "`Room`", "\"chat-Room\", \"chat-Old\""] {
            assert!(error.message().contains(part), "{error}");
        }
    }
}
