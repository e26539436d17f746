//! The functions of a store that JavaScript has met, each under one number, whichever way it comes.

use std::{collections::HashMap, rc::Rc};

use wasmtime::{AsContextMut, Func, ValType};

use super::values::Type;

/// What a function takes and gives.
pub(super) struct Signature {
    pub params: Vec<Type>,
    pub results: Vec<Type>,
}

impl Signature {
    /// The types of a function of wasmtime's.
    pub fn new(ty: &wasmtime::FuncType) -> Self {
        let types =
            |types: &mut dyn Iterator<Item = ValType>| types.map(|ty| Type::of(&ty)).collect();
        Self {
            params: types(&mut ty.params()),
            results: types(&mut ty.results()),
        }
    }
}

/// A function that JavaScript may call.
#[derive(Clone)]
pub(super) struct Known {
    pub func: Func,
    pub signature: Rc<Signature>,
    /// Its index within its module, as far as that is known.
    pub index: Option<u32>,
}

#[derive(Default)]
pub(super) struct Functions {
    all: Vec<Known>,
    numbers: HashMap<[usize; 2], u32>,
}

impl Functions {
    /// The number of a function, a new one if it has none. `index` is what its module calls it.
    pub fn number(&mut self, mut store: impl AsContextMut, func: Func, index: Option<u32>) -> u32 {
        let key = identity(&mut store, &func);
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let number =
            u32::try_from(self.all.len()).expect("instances are bounded, and their functions");
        let signature = Rc::new(Signature::new(&func.ty(&store)));
        self.all.push(Known {
            func,
            signature,
            index,
        });
        self.numbers.insert(key, number);
        number
    }

    /// The function with a number.
    pub fn get(&self, number: u32) -> Known {
        self.all[number as usize].clone()
    }
}

/// What two references to one function have in common, and no other has: its code and what it is
/// bound to. An import is a copy of the reference that it is made from, at another address.
fn identity(store: impl AsContextMut, func: &Func) -> [usize; 2] {
    let reference = func.to_raw(store).cast::<usize>();
    // SAFETY: the pointer is that of a live `VMFuncRef`, which wasmtime documents as `repr(C)`:
    // pointer, pointer or null, 32-bit number, pointer. The first and the last are read, which are
    // never empty. Wasmtime is pinned to one major version, and tests compare functions that come
    // by different ways.
    unsafe { [reference.read(), reference.add(3).read()] }
}
