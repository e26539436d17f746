//! scrypt's mixing (RFC 7914), piece by piece: the native half of `glue/node/derivation.js`.
//!
//! The memory that scrypt fills belongs to the glue, so that the object's limit counts it, and a call does no
//! more rounds than a slice can bear. The crate that has scrypt does all of it in one call.

use rquickjs::{Ctx, Exception, Object, Result, TypedArray, prelude::Func};

use crate::web::{self, hashes::live};

/// Bytes of what Salsa20 works on.
const CELL: usize = 64;
type Cell = [u32; CELL / 4];

/// Adds the functions to `native`.
pub(super) fn natives<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    web::crypto_natives(ctx, native)?;
    native.set("scryptFill", Func::from(fill))?;
    native.set("scryptMix", Func::from(mix))
}

/// `count` blocks from `block` on, each the mixture of the one before it, and the one after them.
fn fill<'js>(
    ctx: Ctx<'js>,
    block: TypedArray<'js, u8>,
    count: usize,
) -> Result<TypedArray<'js, u8>> {
    let mut cells = cells(&ctx, live(&ctx, &block)?)?;
    let mut all = Vec::with_capacity((count + 1) * cells.len() * CELL);
    for _ in 0..count {
        write(&cells, &mut all);
        cells = mixed(&cells);
    }
    write(&cells, &mut all);
    TypedArray::new_copy(ctx, all)
}

/// `block` after `count` rounds with blocks of `memory`, which are a power of two in number.
fn mix<'js>(
    ctx: Ctx<'js>,
    block: TypedArray<'js, u8>,
    memory: TypedArray<'js, u8>,
    count: usize,
) -> Result<TypedArray<'js, u8>> {
    let mut cells = cells(&ctx, live(&ctx, &block)?)?;
    let memory = live(&ctx, &memory)?;
    let block_bytes = cells.len() * CELL;
    let blocks = memory.len() / block_bytes;
    if !blocks.is_power_of_two() {
        return Err(Exception::throw_internal(
            &ctx,
            "the memory of scrypt is no power of two of blocks",
        ));
    }
    for _ in 0..count {
        let last = cells.last().expect("a block has at least two cells");
        let number = u64::from(last[1]) << 32 | u64::from(last[0]);
        let at = (number as usize & (blocks - 1)) * block_bytes;
        for (cell, other) in cells.iter_mut().zip(memory[at..].chunks_exact(CELL)) {
            for (word, other) in cell.iter_mut().zip(other.as_chunks::<4>().0) {
                *word ^= u32::from_le_bytes(*other);
            }
        }
        cells = mixed(&cells);
    }
    let mut out = Vec::with_capacity(block_bytes);
    write(&cells, &mut out);
    TypedArray::new_copy(ctx, out)
}

fn cells(ctx: &Ctx<'_>, block: &[u8]) -> Result<Vec<Cell>> {
    let (cells, rest) = block.as_chunks::<CELL>();
    if !rest.is_empty() || cells.len() < 2 {
        return Err(Exception::throw_internal(
            ctx,
            "a block of scrypt has a multiple of 128 bytes",
        ));
    }
    let words = |cell: &[u8; CELL]| {
        let mut words = Cell::default();
        for (word, bytes) in words.iter_mut().zip(cell.as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        words
    };
    Ok(cells.iter().map(words).collect())
}

fn write(cells: &[Cell], out: &mut Vec<u8>) {
    out.extend(cells.iter().flatten().flat_map(|word| word.to_le_bytes()));
}

/// scryptBlockMix: the cells with even numbers come first.
fn mixed(cells: &[Cell]) -> Vec<Cell> {
    let mut out = vec![Cell::default(); cells.len()];
    let mut last = *cells.last().expect("a block has at least two cells");
    for (number, cell) in cells.iter().enumerate() {
        for (word, other) in last.iter_mut().zip(cell) {
            *word ^= other;
        }
        salsa20_8(&mut last);
        out[number / 2 + (number % 2) * cells.len() / 2] = last;
    }
    out
}

/// The core of Salsa20 with eight rounds, added to what it began with.
fn salsa20_8(cell: &mut Cell) {
    const DOUBLE_ROUNDS: usize = 4;
    let mut x = *cell;
    let quarter = |x: &mut Cell, [a, b, c, d]: [usize; 4]| {
        x[b] ^= x[a].wrapping_add(x[d]).rotate_left(7);
        x[c] ^= x[b].wrapping_add(x[a]).rotate_left(9);
        x[d] ^= x[c].wrapping_add(x[b]).rotate_left(13);
        x[a] ^= x[d].wrapping_add(x[c]).rotate_left(18);
    };
    for _ in 0..DOUBLE_ROUNDS {
        for i in 0..4 {
            let at = |row: usize| (i + row) % 4 * 4 + i;
            quarter(&mut x, [at(0), at(1), at(2), at(3)]);
        }
        for i in 0..4 {
            let at = |column: usize| i * 4 + (i + column) % 4;
            quarter(&mut x, [at(0), at(1), at(2), at(3)]);
        }
    }
    for (word, changed) in cell.iter_mut().zip(x) {
        *word = word.wrapping_add(changed);
    }
}
