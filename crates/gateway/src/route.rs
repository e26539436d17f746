//! Reads a request's path: which object it is for, and how it is reached.

use std::borrow::Cow;

use dolmen_runtime::MAX_NAME_BYTES;
use percent_encoding::percent_decode_str;

use crate::failure::Failure;

/// The object that `/do` leads to.
const DEFAULT_OBJECT: &str = "singleton";

/// Where a request goes. Names are percent-decoded; the path below an object stays as it came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route<'p> {
    Index,
    Rpc {
        namespace: Cow<'p, str>,
        object: Cow<'p, str>,
        method: Cow<'p, str>,
    },
    Fetch {
        namespace: Cow<'p, str>,
        object: Cow<'p, str>,
        path: &'p str,
    },
}

impl<'p> Route<'p> {
    /// Whether a path is one of those that lead to an object.
    pub fn is_for_object(path: &str) -> bool {
        path.starts_with("/rpc/") || path.starts_with("/fetch/")
    }

    /// The route of `/do/:name/*`, which leads to an object of `namespace`; the name is
    /// [`DEFAULT_OBJECT`] where there is none. `None`: it is another path.
    pub fn of_do(path: &'p str, namespace: &'p str) -> Result<Option<Self>, Failure> {
        let Some(rest) = path.strip_prefix("/do") else {
            return Ok(None);
        };
        let Some(rest) = rest.strip_prefix('/') else {
            return Ok(rest
                .is_empty()
                .then(|| Self::below(namespace, DEFAULT_OBJECT.into(), rest)));
        };
        let end = rest.find('/').unwrap_or(rest.len());
        let (object, path) = rest.split_at(end);
        let object = match object {
            "" => DEFAULT_OBJECT.into(),
            encoded => name(encoded)?,
        };
        Ok(Some(Self::below(namespace, object, path)))
    }

    fn below(namespace: &'p str, object: Cow<'p, str>, path: &'p str) -> Self {
        Self::Fetch {
            namespace: namespace.into(),
            object,
            path: if path.is_empty() { "/" } else { path },
        }
    }

    /// Finds the route of a percent-encoded path.
    pub fn of(path: &'p str) -> Result<Self, Failure> {
        if path == "/" {
            return Ok(Self::Index);
        }
        let not_found = || Failure::not_found(path);
        if let Some(rest) = path.strip_prefix("/rpc/") {
            let (namespace, rest) = rest.split_once('/').ok_or_else(not_found)?;
            let (object, method) = rest.split_once('/').ok_or_else(not_found)?;
            if method.is_empty() || method.contains('/') {
                return Err(not_found());
            }
            Ok(Self::Rpc {
                namespace: decode("namespace", namespace)?,
                object: name(object)?,
                method: decode("method", method)?,
            })
        } else if let Some(rest) = path.strip_prefix("/fetch/") {
            let (namespace, rest) = rest.split_once('/').ok_or_else(not_found)?;
            let end = rest.find('/').unwrap_or(rest.len());
            let (object, path) = rest.split_at(end);
            Ok(Self::Fetch {
                namespace: decode("namespace", namespace)?,
                object: name(object)?,
                path: if path.is_empty() { "/" } else { path },
            })
        } else {
            Err(not_found())
        }
    }
}

fn name(encoded: &str) -> Result<Cow<'_, str>, Failure> {
    let name = decode("object's name", encoded)?;
    if name.is_empty() {
        return Err(Failure::bad_request("the object's name is empty"));
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(Failure::bad_request(format!(
            "an object's name has at most {MAX_NAME_BYTES} bytes; this one has {}",
            name.len()
        )));
    }
    Ok(name)
}

fn decode<'p>(what: &str, encoded: &'p str) -> Result<Cow<'p, str>, Failure> {
    let decoded = percent_decode_str(encoded).decode_utf8().map_err(|_| {
        Failure::bad_request(format!("the {what} is not UTF-8 after percent-decoding"))
    })?;
    if decoded.as_bytes().contains(&0) {
        return Err(Failure::bad_request(format!("the {what} contains a NUL")));
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch<'p>(namespace: &'p str, object: &'p str, path: &'p str) -> Route<'p> {
        Route::Fetch {
            namespace: namespace.into(),
            object: object.into(),
            path,
        }
    }

    #[test]
    fn a_fetch_keeps_its_path_encoded_and_decodes_the_name() {
        assert_eq!(
            Route::of("/fetch/NS/a%2Fb%20%C3%A9/x%2Fy//z").unwrap(),
            fetch("NS", "a/b é", "/x%2Fy//z")
        );
        assert_eq!(Route::of("/fetch/NS/a").unwrap(), fetch("NS", "a", "/"));
        assert_eq!(Route::of("/fetch/NS/a/").unwrap(), fetch("NS", "a", "/"));
        assert_eq!(
            Route::of("/fetch/NS/..%2f../x").unwrap(),
            fetch("NS", "../..", "/x")
        );
    }

    #[test]
    fn do_leads_to_an_object_of_the_one_namespace() {
        let of = |path| Route::of_do(path, "NS").unwrap();
        assert_eq!(of("/do"), Some(fetch("NS", "singleton", "/")));
        assert_eq!(of("/do/"), Some(fetch("NS", "singleton", "/")));
        assert_eq!(of("/do//x"), Some(fetch("NS", "singleton", "/x")));
        assert_eq!(of("/do/a"), Some(fetch("NS", "a", "/")));
        assert_eq!(of("/do/a%2Fb/x%2Fy/"), Some(fetch("NS", "a/b", "/x%2Fy/")));
        for other in ["/", "/done", "/x/do/", "/DO/a"] {
            assert_eq!(of(other), None, "{other}");
        }
        assert!(Route::of_do("/do/%00", "NS").is_err());
    }

    #[test]
    fn a_call_needs_three_parts() {
        let expected = Route::Rpc {
            namespace: "NS".into(),
            object: "é".into(),
            method: "m".into(),
        };
        assert_eq!(Route::of("/rpc/NS/%C3%A9/m").unwrap(), expected);
        for path in [
            "/rpc",
            "/rpc/",
            "/rpc/NS",
            "/rpc/NS/a",
            "/rpc/NS/a/",
            "/rpc/NS/a/m/",
            "/rpc/NS/a/m/n",
        ] {
            let failure = format!("{:?}", Route::of(path).unwrap_err());
            assert!(failure.contains("not_found"), "{path}: {failure}");
        }
    }

    #[test]
    fn a_bad_name_is_refused_and_the_longest_is_not() {
        for bad in [
            "/fetch/NS//x",
            "/fetch/NS/%00",
            "/fetch/NS/%ff",
            "/fetch/NS/%C3",
            "/rpc/%ff/a/m",
            "/rpc/NS/a/%00",
        ] {
            let failure = format!("{:?}", Route::of(bad).unwrap_err());
            assert!(failure.contains("bad_request"), "{bad}: {failure}");
        }
        assert!(Route::of(&format!("/fetch/NS/{}", "a".repeat(MAX_NAME_BYTES))).is_ok());
        assert!(
            Route::of(&format!(
                "/fetch/NS/{}",
                "%C3%A9".repeat(MAX_NAME_BYTES / 2)
            ))
            .is_ok()
        );
        assert!(Route::of(&format!("/fetch/NS/{}", "a".repeat(MAX_NAME_BYTES + 1))).is_err());
        assert!(
            Route::of(&format!(
                "/fetch/NS/{}a",
                "%C3%A9".repeat(MAX_NAME_BYTES / 2)
            ))
            .is_err()
        );
    }

    #[test]
    fn anything_else_is_not_found() {
        for path in [
            "",
            "*",
            "//",
            "/x",
            "/fetch",
            "/fetch/",
            "/fetch/NS",
            "/rpcx/NS/a/m",
            "/FETCH/NS/a",
        ] {
            assert!(Route::of(path).is_err(), "{path}");
        }
        assert_eq!(Route::of("/").unwrap(), Route::Index);
    }
}
