//! The options of `list`, as they were given.

use dolmen_runtime::storage::ListOptions;
use rquickjs::{Coerced, Ctx, Exception, FromJs, Object, Value};

/// Which entries to list. Members of no value count as missing, and others are converted as JavaScript does.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub start: Option<String>,
    pub start_after: Option<String>,
    pub end: Option<String>,
    prefix: Option<String>,
    pub reverse: bool,
    pub limit: Option<usize>,
}

impl Listing {
    pub fn read<'js>(ctx: &Ctx<'js>, options: &Value<'js>) -> rquickjs::Result<Self> {
        if options.is_undefined() || options.is_null() {
            return Ok(Self::default());
        }
        let Some(options) = options.as_object() else {
            return Err(Exception::throw_type(
                ctx,
                "Failed to execute 'list' on 'DurableObjectStorage': parameter 1 is not of type 'ListOptions'.",
            ));
        };
        let text = |name| member::<String>(options, name);
        let listing = Self {
            start: text("start")?,
            start_after: text("startAfter")?,
            end: text("end")?,
            prefix: text("prefix")?,
            reverse: member::<bool>(options, "reverse")?.unwrap_or(false),
            limit: match member::<f64>(options, "limit")? {
                None => None,
                Some(limit) if limit.is_nan() || limit.trunc() <= 0.0 => {
                    return Err(Exception::throw_type(ctx, "List limit must be positive."));
                }
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "it is positive, and saturates"
                )]
                Some(limit) => Some(limit as usize),
            },
        };
        if listing.start.is_some() && listing.start_after.is_some() {
            return Err(Exception::throw_type(
                ctx,
                "list() cannot be called with both start and startAfter values.",
            ));
        }
        Ok(listing)
    }

    pub fn bounds(&self) -> ListOptions<'_> {
        ListOptions {
            start: self.start.as_deref(),
            start_after: self.start_after.as_deref(),
            end: self.end.as_deref(),
            prefix: self.prefix.as_deref(),
            reverse: self.reverse,
            limit: self.limit,
        }
    }
}

fn member<'js, T>(options: &Object<'js>, name: &str) -> rquickjs::Result<Option<T>>
where
    Coerced<T>: FromJs<'js>,
{
    let value: Value<'js> = options.get(name)?;
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    value
        .get::<Coerced<T>>()
        .map(|Coerced(member)| Some(member))
}
