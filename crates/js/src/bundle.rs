//! Bundles: checks a CommonJS source, compiles it once, and finds its classes.

use std::{
    cell::Cell,
    collections::HashMap,
    fmt,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use rquickjs::{AsyncContext, AsyncRuntime, Ctx, Function, Object, Value, atom::PredefinedAtom};

use crate::{
    api,
    bytecode::{self, Bytecode},
    exception::Thrown,
    module::Source,
    poll_now,
    wasm::{self, Code, Kept, Surroundings},
    web,
};

/// How long the top level of a bundle may run when it is loaded.
const LOAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Heap of the runtime that loads a bundle, in bytes.
const LOAD_MEMORY: usize = 256 << 20;
/// Most characters of a line that an error shows.
const SHOWN: usize = 160;
/// What stands before the source on its first line.
const PREFIX: &str = "(function (exports, module, require) {";
const SUFFIX: &str = "\n})";

/// A compiled bundle and the names of the classes it exports.
pub(crate) struct Bundle {
    pub code: Bytecode,
    pub classes: Vec<String>,
}

/// Why a bundle cannot be used.
#[derive(Debug)]
pub struct BundleError {
    message: String,
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for BundleError {}

impl BundleError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

impl Bundle {
    /// Compiles `source` and runs its top level once to see what it exports.
    pub fn load(file: &str, source: &str, wasm: &Arc<Code>) -> Result<Self, BundleError> {
        load_in(
            file,
            new_runtime(file)?,
            wasm,
            &Deadline::default(),
            |ctx| {
                let code = compile(ctx, file, source).map_err(Failure::Bundle)?;
                let classes = classes(ctx, file, &code)?;
                Ok(Self { code, classes })
            },
            |ctx, error| describe(ctx, file, source, error),
        )
    }
}

/// The runtime in which the bundle `file` is loaded.
pub(crate) fn new_runtime(file: &str) -> Result<AsyncRuntime, BundleError> {
    let runtime = AsyncRuntime::new().map_err(|error| no_runtime(file, &error))?;
    poll_now(runtime.set_memory_limit(LOAD_MEMORY));
    Ok(runtime)
}

/// When the top level of a bundle must have ended. What is compiled meanwhile does not count.
#[derive(Clone)]
pub(crate) struct Deadline(Rc<Cell<Instant>>);

impl Default for Deadline {
    fn default() -> Self {
        Self(Rc::new(Cell::new(Instant::now() + LOAD_TIMEOUT)))
    }
}

impl Deadline {
    fn is_over(&self) -> bool {
        Instant::now() >= self.0.get()
    }

    /// Does `work`, however long it takes.
    pub fn without<T>(&self, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let done = work();
        self.0.set(self.0.get() + begun.elapsed());
        done
    }
}

/// Runs `load` in a new context of `runtime`, until `deadline`. `describe` says what it threw.
pub(crate) fn load_in<T>(
    file: &str,
    runtime: AsyncRuntime,
    wasm: &Arc<Code>,
    deadline: &Deadline,
    load: impl FnOnce(&Ctx<'_>) -> Result<T, Failure>,
    describe: impl FnOnce(&Ctx<'_>, rquickjs::Error) -> BundleError,
) -> Result<T, BundleError> {
    // What is declared last goes first: the context, its runtime, and then the memories of WebAssembly.
    let kept = Kept::default();
    let runtime = runtime;
    let own = deadline.clone();
    poll_now(runtime.set_interrupt_handler(Some(Box::new(move || own.is_over()))));
    let context =
        poll_now(AsyncContext::full(&runtime)).map_err(|error| no_runtime(file, &error))?;
    let (running, waiting) = (deadline.clone(), deadline.clone());
    let surroundings = Surroundings {
        may_go_on: Rc::new(move || !running.is_over()),
        give_way: Box::new(move || !waiting.is_over()),
        code: wasm.clone(),
        memory_limit: LOAD_MEMORY,
        kept: kept.clone(),
    };
    poll_now(context.with(|ctx| {
        let surrounded = wasm::surround(&ctx, surroundings).map_err(Failure::Thrown);
        surrounded
            .and_then(|()| load(&ctx))
            .map_err(|failure| match failure {
                Failure::Bundle(error) => error,
                Failure::Thrown(_) if deadline.is_over() => BundleError::new(format!(
                    "{file}: the top level of the bundle did not end within {LOAD_TIMEOUT:?}"
                )),
                Failure::Thrown(error) => describe(&ctx, error),
            })
    }))
}

fn no_runtime(file: &str, error: &rquickjs::Error) -> BundleError {
    BundleError::new(format!("{file}: no JavaScript runtime: {error}"))
}

/// Why a bundle was not loaded: what we say of it, or what it threw.
pub(crate) enum Failure {
    Bundle(BundleError),
    Thrown(rquickjs::Error),
}

impl From<rquickjs::Error> for Failure {
    fn from(error: rquickjs::Error) -> Self {
        Self::Thrown(error)
    }
}

fn compile(ctx: &Ctx<'_>, file: &str, source: &str) -> Result<Bytecode, BundleError> {
    let wrapped = format!("{PREFIX}{source}{SUFFIX}");
    bytecode::compile_script(ctx, file, &wrapped)
        .map_err(|error| describe(ctx, file, source, error))
}

fn classes(ctx: &Ctx<'_>, file: &str, code: &Bytecode) -> Result<Vec<String>, Failure> {
    web::install(ctx, Rc::new(api::LoadingHost))?;
    api::console::install(ctx, file.to_owned())?;
    api::timers::install_refusing(ctx)?;
    let objects = run(ctx, code)?;
    let Some(objects) = objects else {
        return Err(Failure::Bundle(BundleError::new(format!(
            "{file}: the bundle exports no objects; end it with `exports.objects = {{ Counter }}`"
        ))));
    };
    let mut names = Vec::new();
    for entry in objects.props::<String, Value<'_>>() {
        let (name, value) = entry?;
        if !value.is_constructor() {
            return Err(Failure::Bundle(BundleError::new(format!(
                "{file}: exports.objects.{name} is not a class; it is {}",
                value.type_name()
            ))));
        }
        names.push(name);
    }
    if names.is_empty() {
        return Err(Failure::Bundle(BundleError::new(format!(
            "{file}: exports.objects is empty; put a class in it"
        ))));
    }
    Ok(names)
}

/// Runs a bundle's top level; gives its `exports.objects`.
pub(crate) fn run<'js>(ctx: &Ctx<'js>, code: &Bytecode) -> rquickjs::Result<Option<Object<'js>>> {
    let body: Function<'js> = code.evaluate(ctx)?;
    let module = Object::new(ctx.clone())?;
    let exports = Object::new(ctx.clone())?;
    module.set("exports", exports.clone())?;
    let require = Function::new(ctx.clone(), refuse_require)?;
    body.call::<_, Value<'js>>((exports, module.clone(), require))?;
    let exports: Value<'js> = module.get("exports")?;
    let Some(exports) = exports.into_object() else {
        return Ok(None);
    };
    let objects: Value<'js> = exports.get("objects")?;
    Ok(objects.into_object())
}

fn refuse_require(ctx: Ctx<'_>, name: rquickjs::Coerced<String>) -> rquickjs::Result<()> {
    Err(rquickjs::Exception::throw_message(
        &ctx,
        &format!(
            "require({:?}) is not available: a bundle is one file; bundle its modules with a tool such as esbuild (--format=cjs)",
            name.0
        ),
    ))
}

/// As [`describe`] for a module worker of several files: the place is in the first one that the
/// stack names.
pub(crate) fn describe_module(
    ctx: &Ctx<'_>,
    entry: &str,
    sources: &HashMap<String, Source>,
    error: rquickjs::Error,
) -> BundleError {
    let (message, stack) = thrown(ctx, error);
    let named = sources
        .iter()
        .filter_map(|(file, source)| {
            let at = stack.find(&format!("{file}:"))?;
            position(&stack, file).map(|place| (at, file, source, place))
        })
        .min_by_key(|(at, ..)| *at);
    let Some((_, file, source, (line, column))) = named else {
        return BundleError::new(format!("{entry}: {message}"));
    };
    let column = if message.starts_with("SyntaxError") {
        let compiles = |source: &str| {
            let module = rquickjs::Module::declare(ctx.clone(), file.as_str(), source);
            module.map(drop)
        };
        let compiled = source.compiled.as_deref().unwrap_or(&source.text);
        syntax_column(ctx, file, compiled, line, &message, compiles)
    } else {
        column
    };
    place(file, &source.text, line, column, &message)
}

/// As [`place`], for a byte of the source.
pub(crate) fn place_at(file: &str, source: &str, at: usize, message: &str) -> BundleError {
    let before = &source[..source.floor_char_boundary(at)];
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    place(file, source, line, column, message)
}

/// `FILE:LINE:COLUMN: message`, and the line with a mark under the column.
fn describe(ctx: &Ctx<'_>, file: &str, source: &str, error: rquickjs::Error) -> BundleError {
    let (message, place_given) = failure(ctx, file, error);
    let Some((line, column)) = place_given else {
        return BundleError::new(format!("{file}: {message}"));
    };
    let last = source.trim_end().lines().count().max(1);
    let is_syntax = message.starts_with("SyntaxError");
    let (line, message) = if is_syntax && line > last {
        // The engine stumbled over what is added around the source.
        let message = "SyntaxError: Unexpected end of the bundle: something is not closed";
        (last, message.to_owned())
    } else {
        (line, message)
    };
    let column = if is_syntax {
        let compiles = |source: &str| {
            let wrapped = format!("{PREFIX}{source}{SUFFIX}");
            bytecode::compile_script(ctx, file, &wrapped).map(drop)
        };
        syntax_column(ctx, file, source, line, &message, compiles)
    } else if line == 1 {
        column.saturating_sub(PREFIX.len())
    } else {
        column
    };
    place(file, source, line, column, &message)
}

fn place(file: &str, source: &str, line: usize, column: usize, message: &str) -> BundleError {
    let text = source.lines().nth(line - 1).unwrap_or_default();
    let column = column.clamp(1, text.chars().count() + 1);
    let start = column.saturating_sub(SHOWN / 2);
    let shown: String = text.chars().skip(start).take(SHOWN).collect();
    let margin = " ".repeat(line.to_string().len());
    let mark = " ".repeat(column - 1 - start.min(column - 1));
    BundleError::new(format!(
        "{file}:{line}:{column}: {message}\n{margin} |\n{line} | {shown}\n{margin} | {mark}^"
    ))
}

/// What was thrown, and the place that the engine gives for it.
fn failure(ctx: &Ctx<'_>, file: &str, error: rquickjs::Error) -> (String, Option<(usize, usize)>) {
    let (message, stack) = thrown(ctx, error);
    let place = position(&stack, file);
    (message, place)
}

/// What was thrown, and the engine's stack for it.
fn thrown(ctx: &Ctx<'_>, error: rquickjs::Error) -> (String, String) {
    if !error.is_exception() {
        return (error.to_string(), String::new());
    }
    let thrown = ctx.catch();
    let stack: Option<String> = thrown
        .as_object()
        .and_then(|object| object.get(PredefinedAtom::Stack).ok());
    let message = match Thrown::describe(thrown, dolmen_runtime::ErrorKind::StartFailed) {
        Thrown::Exception(error) => error.message().to_owned(),
        Thrown::OutOfMemory => "the bundle needs too much memory to load".to_owned(),
    };
    (message, stack.unwrap_or_default())
}

/// The column of a syntax error, which the engine gives for the start of the line only: a source
/// that is cut off gives the same error exactly when the wrong token is still in it.
fn syntax_column(
    ctx: &Ctx<'_>,
    file: &str,
    source: &str,
    line: usize,
    message: &str,
    compiles: impl Fn(&str) -> rquickjs::Result<()>,
) -> usize {
    let before: usize = source
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    let text = source[before..].lines().next().unwrap_or_default();
    let ends: Vec<usize> = text
        .char_indices()
        .map(|(at, c)| at + c.len_utf8())
        .collect();
    let end = ends.partition_point(|end| match compiles(&source[..before + end]) {
        Ok(()) => true,
        Err(error) => failure(ctx, file, error).0 != message,
    });
    // `end` is the token's last character; a word begins before it.
    let is_word = |c: &char| c.is_alphanumeric() || "_$".contains(*c);
    let word = text.chars().take(end + 1).collect::<Vec<_>>();
    let length = word.iter().rev().take_while(|c| is_word(c)).count().max(1);
    end + 2 - length
}

/// Finds `file:LINE:COLUMN` in a stack.
fn position(stack: &str, file: &str) -> Option<(usize, usize)> {
    let at = stack.find(&format!("{file}:"))?;
    let mut numbers = stack[at + file.len() + 1..].split(|c: char| !c.is_ascii_digit());
    let line = numbers.next()?.parse().ok().filter(|line| *line > 0)?;
    let column = numbers
        .next()
        .and_then(|column| column.parse().ok())
        .unwrap_or(1);
    Some((line, usize::max(column, 1)))
}
