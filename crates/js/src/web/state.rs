//! What the APIs of one context keep: their host, and what is built so far.

use std::{cell::RefCell, rc::Rc};

use rquickjs::{Ctx, Exception, JsLifetime, Object, Result};

use super::WebHost;
use super::lazy::Accessors;
use super::names::Group;

pub(super) struct State<'js> {
    pub(super) host: Rc<dyn WebHost>,
    pub(super) accessors: Accessors,
    /// By group: its names and what other groups use of it.
    exports: RefCell<[Option<Object<'js>>; Group::COUNT]>,
}

/// Shared, because the engine's user data cannot be borrowed while a group stores its own.
struct Stored<'js>(Rc<State<'js>>);

// SAFETY: `Changed` is the same type with the other lifetime, and nothing else of `'js` is inside.
unsafe impl<'js> JsLifetime<'js> for Stored<'js> {
    type Changed<'to> = Stored<'to>;
}

impl<'js> State<'js> {
    pub(super) fn store(ctx: &Ctx<'js>, host: Rc<dyn WebHost>, accessors: Accessors) -> Result<()> {
        let state = State {
            host,
            accessors,
            exports: RefCell::default(),
        };
        match ctx.store_userdata(Stored(Rc::new(state))) {
            Ok(_) => Ok(()),
            Err(error) => Err(Exception::throw_message(ctx, &error.to_string())),
        }
    }

    pub(super) fn of(ctx: &Ctx<'js>) -> Result<Rc<State<'js>>> {
        match ctx.userdata::<Stored<'js>>() {
            Some(stored) => Ok(stored.0.clone()),
            None => Err(Exception::throw_message(
                ctx,
                "the web APIs are not installed",
            )),
        }
    }

    pub(super) fn built(&self, group: Group) -> Option<Object<'js>> {
        self.exports.borrow()[group as usize].clone()
    }

    pub(super) fn set_built(&self, group: Group, exports: &Object<'js>) {
        self.exports.borrow_mut()[group as usize] = Some(exports.clone());
    }
}
