//! Classes of JavaScript objects that hold a Rust value and nothing of JavaScript's.

/// Makes a type the inside of such objects. They have no constructor; `prototype`, if it is given,
/// makes what they inherit from: a function from a context to an object.
macro_rules! js_class {
    ($type:ident, $name:literal $(, $prototype:ident)?) => {
        impl<'js> rquickjs::class::Trace<'js> for $type {
            fn trace<'a>(&self, _tracer: rquickjs::class::Tracer<'a, 'js>) {}
        }

        // SAFETY: nothing in it has the lifetime.
        unsafe impl<'js> rquickjs::JsLifetime<'js> for $type {
            type Changed<'to> = $type;
        }

        impl<'js> rquickjs::class::JsClass<'js> for $type {
            const NAME: &'static str = $name;
            type Mutable = rquickjs::class::Readable;

            $(
                fn prototype(
                    ctx: &rquickjs::Ctx<'js>,
                ) -> rquickjs::Result<Option<rquickjs::Object<'js>>> {
                    $prototype(ctx).map(Some)
                }
            )?

            fn constructor(
                _ctx: &rquickjs::Ctx<'js>,
            ) -> rquickjs::Result<Option<rquickjs::function::Constructor<'js>>> {
                Ok(None)
            }
        }
    };
}

pub(crate) use js_class;
