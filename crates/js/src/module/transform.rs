//! Compiles away what the engine cannot read: TypeScript, `using` and `await using`.
//!
//! Every token stays on its line, so stacks and error messages need no map; a column may be too
//! large where something was inserted before it. Types are removed, not checked.

mod layout;
mod loops;

use std::path::Path;

use oxc_allocator::Allocator;
use oxc_codegen::{Codegen, CodegenOptions, CommentOptions};
use oxc_parser::Parser;
use oxc_semantic::SemanticBuilder;
use oxc_span::SourceType;
use oxc_transformer::{HelperLoaderMode, HelperLoaderOptions, TransformOptions, Transformer};

/// Where transformed code imports helpers from: `<this>/helpers/<name>`.
const HELPERS: &str = "dolmen:runtime";
/// The one helper that there is.
pub(super) const USING_HELPER: &str = "dolmen:runtime/helpers/usingCtx";

/// What a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    JavaScript,
    TypeScript,
}

/// Why a source cannot be compiled, and at which byte of it.
#[derive(Debug)]
pub(super) struct Refusal {
    pub message: String,
    pub at: usize,
}

impl Language {
    /// The language of a file, by its name.
    pub fn of(file: &str) -> Self {
        match Path::new(file).extension().and_then(|it| it.to_str()) {
            Some("ts" | "mts") => Self::TypeScript,
            _ => Self::JavaScript,
        }
    }
}

/// Whether a source may declare with `using`: it has the word.
pub(super) fn may_use_using(source: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "_$".contains(c);
    source.match_indices("using").any(|(at, word)| {
        !source[..at].ends_with(is_part) && !source[at + word.len()..].starts_with(is_part)
    })
}

/// Compiles a module to JavaScript that the engine reads, line by line as in `source`.
///
/// # Errors
/// The first thing that is not the language, or that cannot be compiled.
pub(super) fn transform(file: &str, source: &str, language: Language) -> Result<String, Refusal> {
    let allocator = Allocator::default();
    let source_type = match language {
        Language::JavaScript => SourceType::mjs(),
        Language::TypeScript => SourceType::ts().with_module(true),
    };
    let parsed = Parser::new(&allocator, source, source_type).parse();
    first_error(&parsed.diagnostics)?;
    let mut program = parsed.program;
    loops::hoist_resources(&allocator, &mut program);
    let checked = SemanticBuilder::new()
        .with_check_syntax_error(true)
        .with_enum_eval(true)
        .build(&program);
    first_error(&checked.diagnostics)?;
    let scoping = checked.semantic.into_scoping();
    let mut options = TransformOptions {
        helper_loader: HelperLoaderOptions {
            module_name: HELPERS.into(),
            mode: HelperLoaderMode::Runtime,
        },
        ..TransformOptions::default()
    };
    options.env.es2026.explicit_resource_management = true;
    let transformed = Transformer::new(&allocator, Path::new(file), &options)
        .build_with_scoping(scoping, &mut program);
    first_error(&transformed.diagnostics)?;
    let printed = Codegen::new()
        .with_options(CodegenOptions {
            comments: CommentOptions::disabled(),
            source_map_path: Some(file.into()),
            ..CodegenOptions::default()
        })
        .build(&program);
    let map = printed.map.expect("a map was asked for");
    Ok(layout::on_source_lines(&printed.code, &map))
}

fn first_error(diagnostics: &oxc_diagnostics::Diagnostics) -> Result<(), Refusal> {
    let Some(error) = diagnostics.errors().next() else {
        return Ok(());
    };
    let help = error.help.iter().map(|help| format!(" ({help})"));
    Err(Refusal {
        message: format!("{}{}", error.message, help.collect::<String>()),
        at: error
            .labels
            .first()
            .map_or(0, |label| label.offset() as usize),
    })
}
