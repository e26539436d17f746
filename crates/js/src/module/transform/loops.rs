//! `for (using a = b; ...)`, which the transformer leaves as it is, becomes a block around the loop.

use oxc_allocator::{Allocator, ArenaBox, ArenaVec, TakeIn};
use oxc_ast::{
    ast::{ForStatementInit, Program, Statement, VariableDeclaration},
    builder::AstBuilder,
};
use oxc_ast_visit::{VisitMut, walk_mut};
use oxc_span::GetSpan;

/// Moves the resources of loops in front of them.
pub(super) fn hoist_resources<'a>(allocator: &'a Allocator, program: &mut Program<'a>) {
    Hoist { allocator }.visit_program(program);
}

struct Hoist<'a> {
    allocator: &'a Allocator,
}

impl<'a> VisitMut<'a> for Hoist<'a> {
    fn visit_statement(&mut self, statement: &mut Statement<'a>) {
        if let Some(declaration) = take_resources(statement) {
            let span = statement.span();
            let body = [
                Statement::VariableDeclaration(declaration),
                statement.take_in(&self.allocator),
            ];
            let body = ArenaVec::from_array_in(body, &self.allocator);
            *statement =
                Statement::new_block_statement(span, body, &AstBuilder::new(self.allocator));
        }
        walk_mut::walk_statement(self, statement);
    }
}

/// The resources of a loop. Its labels stay with it: a `continue` may name them.
fn take_resources<'a>(
    mut statement: &mut Statement<'a>,
) -> Option<ArenaBox<'a, VariableDeclaration<'a>>> {
    while let Statement::LabeledStatement(labeled) = statement {
        statement = &mut labeled.body;
    }
    let Statement::ForStatement(looped) = statement else {
        return None;
    };
    let is_using = |init: &mut ForStatementInit<'_>| matches!(init, ForStatementInit::VariableDeclaration(it) if it.kind.is_using());
    match looped.init.take_if(is_using) {
        Some(ForStatementInit::VariableDeclaration(declaration)) => Some(declaration),
        _ => None,
    }
}
