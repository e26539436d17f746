//! `console`: every line goes to the log, with the object's name.
//!
//! Made when it is first used: most objects never log, and none should pay for it.

use std::{cell::RefCell, collections::HashMap, rc::Rc, time::Instant};

use llrt_utils::primordials::{BasePrimordials, Primordial};
use rquickjs::{
    Coerced, Ctx, Function, Object, Value,
    function::{Opt, Rest},
    object::{Accessor, Property},
};
use tracing::Level;

/// Longest line that is logged, in bytes; the rest is cut off.
const MAX_LINE: usize = 16 << 10;
/// Most labels of counters and timers that are remembered.
const MAX_LABELS: usize = 1_000;
/// Deepest group.
const MAX_GROUPS: usize = 32;

#[derive(Default)]
struct Console {
    object: String,
    groups: RefCell<usize>,
    counts: RefCell<HashMap<String, u64>>,
    timers: RefCell<HashMap<String, Instant>>,
}

/// Puts `console` on the global object; `object` is what the log calls its owner.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, object: String) -> rquickjs::Result<()> {
    let get = move |ctx: Ctx<'js>| -> rquickjs::Result<Object<'js>> {
        let console = make(
            &ctx,
            Rc::new(Console {
                object: object.clone(),
                ..Console::default()
            }),
        )?;
        replace(&ctx, console.clone().into_value())?;
        Ok(console)
    };
    let set = |ctx: Ctx<'js>, value: Value<'js>| replace(&ctx, value);
    ctx.globals()
        .prop("console", Accessor::new(get, set).configurable())
}

fn replace<'js>(ctx: &Ctx<'js>, value: Value<'js>) -> rquickjs::Result<()> {
    ctx.globals()
        .prop("console", Property::from(value).writable().configurable())
}

fn make<'js>(ctx: &Ctx<'js>, console: Rc<Console>) -> rquickjs::Result<Object<'js>> {
    BasePrimordials::init(ctx)?;
    let object = Object::new(ctx.clone())?;
    let printers = [
        ("log", Level::INFO),
        ("info", Level::INFO),
        ("debug", Level::DEBUG),
        ("trace", Level::DEBUG),
        ("dir", Level::INFO),
        ("dirxml", Level::INFO),
        ("table", Level::INFO),
        ("warn", Level::WARN),
        ("error", Level::ERROR),
    ];
    for (name, level) in printers {
        let console = console.clone();
        let print = move |ctx: Ctx<'js>, args: Rest<Value<'js>>| console.print(&ctx, level, args);
        object.set(name, Function::new(ctx.clone(), print)?.with_name(name)?)?;
    }
    macro_rules! method {
        ($name:literal, |$console:ident, $ctx:ident, $arg:ident: $type:ty| $body:expr) => {{
            let captured = console.clone();
            let run = move |$ctx: Ctx<'js>, $arg: $type| -> rquickjs::Result<()> {
                let $console = &*captured;
                $body
            };
            object.set($name, Function::new(ctx.clone(), run)?.with_name($name)?)?;
        }};
    }
    method!("assert", |console, ctx, args: Rest<Value<'js>>| {
        let mut args = args.0;
        let holds = !args.is_empty() && args.remove(0).get::<Coerced<bool>>()?.0;
        if holds {
            return Ok(());
        }
        args.insert(
            0,
            rquickjs::String::from_str(ctx.clone(), "Assertion failed:")?.into_value(),
        );
        console.print(&ctx, Level::ERROR, Rest(args))
    });
    method!("group", |console, ctx, args: Rest<Value<'js>>| console
        .open_group(&ctx, args));
    // Nothing is folded in a log.
    method!("groupCollapsed", |console, ctx, args: Rest<Value<'js>>| {
        console.open_group(&ctx, args)
    });
    // A log keeps its lines; what the standard asks for besides is the end of all groups.
    method!("clear", |console, _ctx, _args: Rest<Value<'js>>| {
        *console.groups.borrow_mut() = 0;
        Ok(())
    });
    method!("groupEnd", |console, _ctx, _args: Rest<Value<'js>>| {
        let mut groups = console.groups.borrow_mut();
        *groups = groups.saturating_sub(1);
        Ok(())
    });
    method!("count", |console, _ctx, label: Opt<Coerced<String>>| {
        let label = label_of(label);
        let mut counts = console.counts.borrow_mut();
        if counts.len() < MAX_LABELS || counts.contains_key(&label) {
            let count = counts.entry(label.clone()).or_default();
            *count += 1;
            console.line(Level::INFO, &format!("{label}: {count}"));
        }
        Ok(())
    });
    method!(
        "countReset",
        |console, _ctx, label: Opt<Coerced<String>>| {
            console.counts.borrow_mut().remove(&label_of(label));
            Ok(())
        }
    );
    method!("time", |console, _ctx, label: Opt<Coerced<String>>| {
        let mut timers = console.timers.borrow_mut();
        if timers.len() < MAX_LABELS {
            timers.insert(label_of(label), Instant::now());
        }
        Ok(())
    });
    method!("timeLog", |console, _ctx, label: Opt<Coerced<String>>| {
        console.elapsed(&label_of(label));
        Ok(())
    });
    method!("timeEnd", |console, _ctx, label: Opt<Coerced<String>>| {
        let label = label_of(label);
        console.elapsed(&label);
        console.timers.borrow_mut().remove(&label);
        Ok(())
    });
    Ok(object)
}

fn label_of(label: Opt<Coerced<String>>) -> String {
    label
        .0
        .map_or_else(|| "default".to_owned(), |label| label.0)
}

impl Console {
    fn open_group<'js>(&self, ctx: &Ctx<'js>, args: Rest<Value<'js>>) -> rquickjs::Result<()> {
        let printed = if args.0.is_empty() {
            Ok(())
        } else {
            self.print(ctx, Level::INFO, args)
        };
        let mut groups = self.groups.borrow_mut();
        *groups = (*groups + 1).min(MAX_GROUPS);
        printed
    }

    fn print<'js>(
        &self,
        ctx: &Ctx<'js>,
        level: Level,
        args: Rest<Value<'js>>,
    ) -> rquickjs::Result<()> {
        let text = llrt_logging::format_plain(ctx.clone(), false, args)?;
        // It breaks the lines of an object with carriage returns; here they become one line.
        let text: Vec<_> = text.split('\r').map(str::trim_start).collect();
        self.line(level, &text.join(" "));
        Ok(())
    }

    fn elapsed(&self, label: &str) {
        if let Some(start) = self.timers.borrow().get(label) {
            self.line(
                Level::INFO,
                &format!("{label}: {:.3} ms", start.elapsed().as_secs_f64() * 1_000.0),
            );
        }
    }

    fn line(&self, level: Level, text: &str) {
        let mut end = text.len().min(MAX_LINE);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let indent = "  ".repeat(*self.groups.borrow());
        let line = format!("{indent}{}", &text[..end]);
        let object = &self.object;
        match level {
            Level::ERROR => tracing::error!(target: "console", %object, "{line}"),
            Level::WARN => tracing::warn!(target: "console", %object, "{line}"),
            Level::DEBUG => tracing::debug!(target: "console", %object, "{line}"),
            _ => tracing::info!(target: "console", %object, "{line}"),
        }
    }
}
