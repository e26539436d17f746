//! JavaScript's values inside WebAssembly: an `externref` is a number of this list, and the value is
//! in the context's list under the same number.
//!
//! Every one is rooted while any call runs, because wasmtime does not look for references on the
//! stacks of calls that wait. Between two calls the roots are given up for a collection, and what
//! outlives it in tables and globals is rooted again.

use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::{AsContextMut, ExternRef, OwnedRooted, Result, Rooted, StoreContextMut};

use super::store::Data;

/// Values that are kept without looking for those that nobody needs any more.
const KEPT: usize = 256;

/// What an `externref` holds.
struct Held {
    number: u32,
    /// Numbers whose references are gone.
    gone: Arc<Mutex<Vec<u32>>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        gone.push(self.number);
    }
}

/// What a number stands for.
enum Place {
    Free,
    /// A value on its way: its reference is made when a call needs it.
    Promised,
    /// A reference, rooted but during a collection.
    Made {
        root: Option<OwnedRooted<ExternRef>>,
        raw: u32,
    },
}

#[derive(Default)]
pub(super) struct Externs {
    places: Vec<Place>,
    free: Vec<u32>,
    gone: Arc<Mutex<Vec<u32>>>,
    /// How many there may be until the next collection.
    threshold: usize,
}

impl Externs {
    /// A number for a value.
    pub fn take_number(&mut self) -> u32 {
        if let Some(number) = self.free.pop() {
            self.places[number as usize] = Place::Promised;
            return number;
        }
        self.places.push(Place::Promised);
        u32::try_from(self.places.len() - 1).expect("the heap is full long before")
    }

    /// The reference with a number.
    ///
    /// # Errors
    /// If there is no room for it.
    pub fn reference(
        &mut self,
        mut store: impl AsContextMut<Data = Data>,
        number: u32,
    ) -> Result<Rooted<ExternRef>> {
        let place = &mut self.places[number as usize];
        if let Place::Made {
            root: Some(root), ..
        } = place
        {
            return Ok(root.to_rooted(&mut store));
        }
        let held = Held {
            number,
            gone: self.gone.clone(),
        };
        let reference = ExternRef::new(&mut store, held)?;
        *place = Place::Made {
            raw: reference.to_raw(&mut store)?,
            root: Some(reference.to_owned_rooted(&mut store)?),
        };
        Ok(reference)
    }

    /// Whether a collection is worth its time.
    pub fn is_full(&self) -> bool {
        self.places.len() - self.free.len() > self.threshold.max(KEPT)
    }

    /// Finds the values that WebAssembly has no more, and gives their numbers, which are free again.
    /// No call may be running.
    ///
    /// # Errors
    /// What wasmtime says; then nothing is freed.
    pub fn collect(&mut self, store: &mut StoreContextMut<'_, Data>) -> Result<Vec<u32>> {
        for place in &mut self.places {
            if let Place::Made { root, .. } = place {
                *root = None;
            }
        }
        let collected = store.gc(None);
        let mut gone =
            std::mem::take(&mut *self.gone.lock().unwrap_or_else(PoisonError::into_inner));
        for number in &gone {
            self.places[*number as usize] = Place::Free;
        }
        for (number, place) in (0..).zip(&mut self.places) {
            match place {
                Place::Free => {}
                // The call that it was for did not come about.
                Place::Promised => {
                    *place = Place::Free;
                    gone.push(number);
                }
                Place::Made { root, raw } => {
                    if let Some(reference) = ExternRef::from_raw(&mut *store, *raw) {
                        *root = Some(reference.to_owned_rooted(&mut *store)?);
                    }
                }
            }
        }
        self.free.extend(&gone);
        self.threshold = 2 * (self.places.len() - self.free.len());
        collected.map(|()| gone)
    }
}

/// The number of a reference; `None`: it is not one of ours.
pub(super) fn number_of(
    store: &StoreContextMut<'_, Data>,
    reference: Rooted<ExternRef>,
) -> Option<u32> {
    let data = reference.data(store).ok()??;
    Some(data.downcast_ref::<Held>()?.number)
}
