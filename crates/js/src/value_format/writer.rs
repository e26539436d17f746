//! Values to bytes.
//!
//! A graph is walked with a stack of [`Frame`]s on the heap, so its depth costs no native stack. A value
//! that holds no others is written at once; one that does returns a frame, and the walk goes on inside.

use rquickjs::{Result, Value, qjs};

use super::clone_error::{self, not_cloneable};
use super::engine::{Atom, Engine, Held, Key, Keys, Kind, Raw, class};
use super::number::{push_varint, small_integer, varint_len, zigzag};
use super::seen::Seen;
use super::tags::{self, View};
use super::text::{self, Wide};
use super::{MAX_BYTES, MAX_WRITE_DEPTH, VERSION};

pub(super) struct Writer<'a> {
    engine: Engine<'a>,
    out: &'a mut Vec<u8>,
    /// Where this value starts in `out`; two-byte text is aligned relative to it.
    start: usize,
    seen: Seen<'a>,
    transfer: Vec<Raw>,
    references: Option<References>,
    /// What stands for the values that cannot be copied, held until the end.
    stand_ins: Vec<Held<'a>>,
    /// `Object.prototype`, and the mark of platform classes, once they are needed.
    plain: Option<Held<'a>>,
    mark: Option<Atom<'a>>,
}

/// How a message writes what cannot be copied: `replace(value, caps)` gives what stands for it.
#[derive(Clone, Copy)]
pub(super) struct References {
    pub replace: Raw,
    pub caps: Raw,
}

/// A value that is being written. The objects named by `Raw` are held by `Seen`.
enum Frame<'a> {
    /// The rest of an object's or an array's properties.
    Properties {
        object: Raw,
        keys: Keys<'a>,
        next: usize,
        written: u32,
        end: End,
    },
    /// The rest of a dense array's elements, which are its first `length` keys.
    Elements {
        array: Raw,
        keys: Keys<'a>,
        next: u32,
        length: u32,
    },
    /// The rest of a map's keys and values or of a set's values.
    Entries {
        list: Held<'a>,
        next: u32,
        length: u32,
        end: u8,
    },
    /// The cause of an error; `None` once it is begun.
    Cause { cause: Option<Held<'a>> },
}

/// How a list of properties ends.
#[derive(Clone, Copy)]
enum End {
    Object,
    Dense { length: u32 },
    Sparse { length: u32 },
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        engine: Engine<'a>,
        out: &'a mut Vec<u8>,
        transfer: &[Value<'_>],
    ) -> Writer<'a> {
        let transfer = transfer
            .iter()
            .map(|buffer| buffer.as_raw().into())
            .collect();
        let (seen, plain, mark) = (Seen::default(), None, None);
        Writer {
            engine,
            start: out.len(),
            out,
            seen,
            transfer,
            references: None,
            stand_ins: Vec::new(),
            plain,
            mark,
        }
    }

    pub(super) fn with_references(mut self, references: References) -> Self {
        self.references = Some(references);
        self
    }

    /// Writes the header and `value`.
    pub(super) fn write(mut self, value: qjs::JSValue) -> Result<()> {
        self.out.push(tags::VERSION);
        push_varint(self.out, VERSION);
        let Some(mut top) = self.begin(value.into())? else {
            return Ok(());
        };
        let mut below = Vec::new();
        loop {
            match self.advance(&mut top)? {
                Some(child) => {
                    if below.len() >= MAX_WRITE_DEPTH {
                        return Err(self.too_deep());
                    }
                    below.push(std::mem::replace(&mut top, child));
                }
                None => match below.pop() {
                    Some(parent) => top = parent,
                    None => return self.check_size(0),
                },
            }
        }
    }

    /// Goes on with `frame` until it ends (`None`) or meets a value that needs a frame of its own.
    fn advance(&mut self, frame: &mut Frame<'a>) -> Result<Option<Frame<'a>>> {
        loop {
            self.check_size(0)?;
            let child = match frame {
                Frame::Properties {
                    object,
                    keys,
                    next,
                    written,
                    end,
                } => {
                    let Some(key) = keys.get(*next) else {
                        let (end, written) = (*end, *written);
                        self.end_properties(end, written);
                        return Ok(None);
                    };
                    *next += 1;
                    // A getter may have removed a later property; then it is left out.
                    let Some(value) = self.engine.own(*object, key)? else {
                        continue;
                    };
                    *written += 1;
                    self.key(key)?;
                    self.begin(value.raw())?
                }
                Frame::Elements {
                    array,
                    next,
                    length,
                    ..
                } if *next < *length => {
                    let (array, index) = (*array, *next);
                    *next += 1;
                    self.element(array, index)?
                }
                Frame::Elements { .. } => {
                    self.elements_to_properties(frame);
                    None
                }
                Frame::Entries {
                    next, length, end, ..
                } if next == length => {
                    self.out.push(*end);
                    push_varint(self.out, *length);
                    return Ok(None);
                }
                Frame::Entries { list, next, .. } => {
                    let value = self.engine.element(list.raw(), *next)?;
                    *next += 1;
                    self.begin(value.raw())?
                }
                Frame::Cause { cause } => match cause.take() {
                    Some(cause) => self.begin(cause.raw())?,
                    None => {
                        self.out.push(tags::error::END);
                        return Ok(None);
                    }
                },
            };
            if child.is_some() {
                return Ok(child);
            }
        }
    }

    /// Writes a value that holds no others; else writes its head and returns its frame.
    fn begin(&mut self, value: Raw) -> Result<Option<Frame<'a>>> {
        match value.kind() {
            Kind::Undefined => self.out.push(tags::UNDEFINED),
            Kind::Null => self.out.push(tags::NULL),
            Kind::Bool(true) => self.out.push(tags::TRUE),
            Kind::Bool(false) => self.out.push(tags::FALSE),
            Kind::Int(integer) => self.number(f64::from(integer)),
            Kind::Double(double) => self.number(double),
            Kind::String => self.string(value)?,
            Kind::BigInt => {
                self.out.push(tags::BIG_INT);
                self.big_int(value)?;
            }
            Kind::Object(class) => return self.object(value, class),
            Kind::Symbol | Kind::Internal => return Err(not_cloneable(self.engine, value)),
        }
        Ok(None)
    }

    fn object(&mut self, object: Raw, class: u32) -> Result<Option<Frame<'a>>> {
        let is_view = is_view(class);
        if self.written_before(object) {
            return Ok(None);
        }
        if let Some(references) = self.references
            && self.is_reference(object, class)?
        {
            return self.reference(references, object, class);
        }
        // A view's buffer goes before it, and takes the earlier id.
        let view = if is_view {
            Some(self.view_buffer(object, class)?)
        } else {
            None
        };
        self.seen.insert(self.engine.hold(object));
        match class {
            class::OBJECT if self.is_platform(object)? => {
                return Err(self.refusal(object, class));
            }
            class::OBJECT => {
                self.out.push(tags::BEGIN_OBJECT);
                let keys = self.engine.keys(object)?;
                return Ok(Some(Frame::properties(object, keys, End::Object)));
            }
            class::ARRAY => return self.array(object).map(Some),
            class::MAP | class::SET => return self.collection(object, class).map(Some),
            class::ERROR => return self.error(object),
            class::DATE => {
                let time = self.engine.method(class, "getTime", object, &[])?;
                self.out.push(tags::DATE);
                self.double(self.engine.to_double(time.raw())?);
            }
            class::NUMBER | class::STRING | class::BOOLEAN | class::BIG_INT => {
                self.boxed(object, class)?;
            }
            class::REG_EXP => self.reg_exp(object)?,
            class::ARRAY_BUFFER => self.buffer(object)?,
            _ => match view {
                Some(view) => self.view(view)?,
                None => return Err(self.refusal(object, class)),
            },
        }
        Ok(None)
    }

    /// Throws why an object has no serialized form.
    fn refusal(&self, object: Raw, class: u32) -> rquickjs::Error {
        let engine = self.engine;
        let marked = || {
            let mark = engine.platform_mark()?;
            let text = engine.get(object, mark.key())?;
            Ok::<_, rquickjs::Error>(match text.raw().kind() {
                Kind::String => (true, Some(clone_error::lossy(engine, text.raw())?)),
                Kind::Bool(true) => (true, None),
                _ => (false, None),
            })
        };
        match marked() {
            Ok((_, Some(text))) => clone_error::throw(engine, &text),
            Ok((is_platform, None))
                if is_platform || class == class::OBJECT || class >= class::FIRST_FOREIGN =>
            {
                clone_error::no_support(engine, object)
            }
            Ok(_) => not_cloneable(engine, object),
            Err(error) => error,
        }
    }

    /// Whether a message has to ask what stands for the object.
    fn is_reference(&mut self, object: Raw, class: u32) -> Result<bool> {
        Ok(match class {
            class::OBJECT => {
                let prototype = self.engine.prototype_of(object)?;
                prototype.raw().address() != self.plain()?.address()
            }
            class::ARRAY
            | class::MAP
            | class::SET
            | class::DATE
            | class::NUMBER
            | class::STRING
            | class::BOOLEAN
            | class::BIG_INT
            | class::REG_EXP
            | class::ARRAY_BUFFER => false,
            _ => !is_view(class),
        })
    }

    fn reference(
        &mut self,
        references: References,
        object: Raw,
        class: u32,
    ) -> Result<Option<Frame<'a>>> {
        let engine = self.engine;
        self.seen.insert(engine.hold(object));
        let nothing = engine.undefined();
        let arguments = [object, references.caps];
        let stand_in = engine.call(references.replace, nothing.raw(), &arguments)?;
        if stand_in.raw().is_undefined() {
            return Err(self.refusal(object, class));
        }
        self.out.push(tags::REFERENCE);
        let raw = stand_in.raw();
        self.stand_ins.push(stand_in);
        self.begin(raw)
    }

    fn plain(&mut self) -> Result<Raw> {
        Ok(match &self.plain {
            Some(plain) => plain.raw(),
            None => self
                .plain
                .insert(self.engine.prototype(class::OBJECT)?)
                .raw(),
        })
    }

    /// Whether the object is of a class of the web APIs, such as `Response`.
    fn is_platform(&mut self, object: Raw) -> Result<bool> {
        let engine = self.engine;
        let prototype = engine.prototype_of(object)?;
        let plain = self.plain()?;
        let is_class = matches!(prototype.raw().kind(), Kind::Object(_));
        if !is_class || prototype.raw().address() == plain.address() {
            return Ok(false);
        }
        let mark = match &self.mark {
            Some(mark) => mark.key(),
            None => self.mark.insert(engine.platform_mark()?).key(),
        };
        engine.has(prototype.raw(), mark)
    }

    /// Writes a reference if `object` has an id already.
    fn written_before(&mut self, object: Raw) -> bool {
        let Some(id) = self.seen.find(object) else {
            return false;
        };
        self.out.push(tags::OBJECT_REFERENCE);
        push_varint(self.out, id);
        true
    }

    // ---- primitives --------------------------------------------------------------------------

    fn number(&mut self, value: f64) {
        match small_integer(value) {
            Some(integer) => {
                self.out.push(tags::INT32);
                push_varint(self.out, zigzag(integer));
            }
            None => {
                self.out.push(tags::DOUBLE);
                self.double(value);
            }
        }
    }

    fn double(&mut self, value: f64) {
        // One NaN for all, as V8 has.
        let value = if value.is_nan() {
            f64::from_bits(0x7FF8 << 48)
        } else {
            value
        };
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    fn string(&mut self, string: Raw) -> Result<()> {
        let (out, start) = (&mut *self.out, self.start);
        let fits = self.engine.with_text(string, |text| {
            // A code point takes at most one and a half times its WTF-8 bytes here.
            let fits = out.len() - start + text.len() * 2 <= MAX_BYTES;
            if fits {
                push_text(out, start, text);
            }
            fits
        })?;
        if fits { Ok(()) } else { Err(self.too_large()) }
    }

    /// A bit for the sign and the number of bytes, then the magnitude in whole 64-bit digits.
    fn big_int(&mut self, value: Raw) -> Result<()> {
        let engine = self.engine;
        let radix = engine.int(16);
        let hex = engine.method(class::BIG_INT, "toString", value, &[radix.raw()])?;
        let (is_negative, magnitude) = engine.with_text(hex.raw(), |hex| {
            let is_negative = hex.first() == Some(&b'-');
            (is_negative, magnitude(&hex[usize::from(is_negative)..]))
        })?;
        self.check_size(magnitude.len())?;
        push_varint(
            self.out,
            (magnitude.len() as u32) << 1 | u32::from(is_negative),
        );
        self.out.extend_from_slice(&magnitude);
        Ok(())
    }

    // ---- properties and elements -------------------------------------------------------------

    fn key(&mut self, key: Key) -> Result<()> {
        if let Some(index) = key.index() {
            self.number(f64::from(index));
            return Ok(());
        }
        let name = key.to_string(self.engine)?;
        // The engine keeps indices from 2^31 up as text; to V8 they are numbers like the others.
        match self.engine.with_text(name.raw(), large_index)? {
            Some(index) => {
                self.number(f64::from(index));
                Ok(())
            }
            None => self.string(name.raw()),
        }
    }

    fn array(&mut self, array: Raw) -> Result<Frame<'a>> {
        let length = self.engine.length(array)?;
        let keys = self.engine.keys(array)?;
        // Indices come first and in order, so the last element's place tells whether all are there.
        let last = length.checked_sub(1);
        let is_dense =
            last.is_none_or(|last| keys.get(last as usize).and_then(Key::index) == Some(last));
        if is_dense {
            self.out.push(tags::BEGIN_DENSE_ARRAY);
            push_varint(self.out, length);
            Ok(Frame::Elements {
                array,
                keys,
                next: 0,
                length,
            })
        } else {
            self.out.push(tags::BEGIN_SPARSE_ARRAY);
            push_varint(self.out, length);
            Ok(Frame::properties(array, keys, End::Sparse { length }))
        }
    }

    fn element(&mut self, array: Raw, index: u32) -> Result<Option<Frame<'a>>> {
        let value = self.engine.element(array, index)?;
        if value.raw().is_undefined() {
            let key = self.engine.atom_from_index(index)?;
            if self.engine.own(array, key.key())?.is_none() {
                // A getter met on the way has removed it.
                self.out.push(tags::THE_HOLE);
                return Ok(None);
            }
        }
        self.begin(value.raw())
    }

    fn elements_to_properties(&self, frame: &mut Frame<'a>) {
        let none = Frame::Cause { cause: None };
        if let Frame::Elements {
            array,
            keys,
            length,
            ..
        } = std::mem::replace(frame, none)
        {
            let (next, end) = (length as usize, End::Dense { length });
            *frame = Frame::Properties {
                object: array,
                keys,
                next,
                written: 0,
                end,
            };
        }
    }

    fn end_properties(&mut self, end: End, written: u32) {
        let (tag, length) = match end {
            End::Object => (tags::END_OBJECT, None),
            End::Dense { length } => (tags::END_DENSE_ARRAY, Some(length)),
            End::Sparse { length } => (tags::END_SPARSE_ARRAY, Some(length)),
        };
        self.out.push(tag);
        push_varint(self.out, written);
        if let Some(length) = length {
            push_varint(self.out, length);
        }
    }

    fn collection(&mut self, collection: Raw, class: u32) -> Result<Frame<'a>> {
        let list = self.engine.entries(collection, class)?;
        let (begin, end) = match class {
            class::MAP => (tags::BEGIN_MAP, tags::END_MAP),
            _ => (tags::BEGIN_SET, tags::END_SET),
        };
        self.out.push(begin);
        let length = self.engine.length(list.raw())?;
        Ok(Frame::Entries {
            list,
            next: 0,
            length,
            end,
        })
    }

    // ---- objects that are one value ----------------------------------------------------------

    fn boxed(&mut self, object: Raw, class: u32) -> Result<()> {
        let value = self.engine.method(class, "valueOf", object, &[])?;
        match value.raw().kind() {
            Kind::Bool(true) => self.out.push(tags::TRUE_OBJECT),
            Kind::Bool(false) => self.out.push(tags::FALSE_OBJECT),
            Kind::Int(integer) => {
                self.out.push(tags::NUMBER_OBJECT);
                self.double(f64::from(integer));
            }
            Kind::Double(double) => {
                self.out.push(tags::NUMBER_OBJECT);
                self.double(double);
            }
            Kind::BigInt => {
                self.out.push(tags::BIG_INT_OBJECT);
                self.big_int(value.raw())?;
            }
            Kind::String => {
                self.out.push(tags::STRING_OBJECT);
                self.string(value.raw())?;
            }
            _ => return Err(not_cloneable(self.engine, object)),
        }
        Ok(())
    }

    fn reg_exp(&mut self, object: Raw) -> Result<()> {
        let source = self.engine.get_named(object, "source")?;
        let flags = self.engine.get_named(object, "flags")?;
        let (source, flags) = (
            self.engine.to_string(source.raw())?,
            self.engine.to_string(flags.raw())?,
        );
        let bits = self.engine.with_text(flags.raw(), |flags| {
            let of = |flag: &u8| {
                tags::REG_EXP_FLAGS
                    .iter()
                    .find(|(own, _)| *own == char::from(*flag))
            };
            flags
                .iter()
                .filter_map(of)
                .fold(0, |bits, (_, bit)| bits | bit)
        })?;
        self.out.push(tags::REG_EXP);
        self.string(source.raw())?;
        push_varint(self.out, bits);
        Ok(())
    }

    /// The order of V8 from 13 on, which reads no other: constructor, message, stack, cause. Before, the
    /// cause came before the stack.
    fn error(&mut self, error: Raw) -> Result<Option<Frame<'a>>> {
        let engine = self.engine;
        let message = engine.own_data(error, Key::MESSAGE)?;
        let cause = engine.own_data(error, Key::CAUSE)?;
        let stack = engine.own_data(error, Key::STACK)?;
        let stack = stack.filter(|stack| matches!(stack.raw().kind(), Kind::String));
        self.out.push(tags::ERROR);
        let name = engine.get(error, Key::NAME)?;
        let name = engine.to_string(name.raw())?;
        let prototype = engine.with_text(name.raw(), |name| {
            tags::error::PROTOTYPES
                .iter()
                .find(|(_, own)| own.as_bytes() == name)
        })?;
        if let Some((tag, _)) = prototype {
            self.out.push(*tag);
        }
        if let Some(message) = message {
            let message = engine.to_string(message.raw())?;
            self.out.push(tags::error::MESSAGE);
            self.string(message.raw())?;
        }
        if let Some(stack) = stack {
            self.out.push(tags::error::STACK);
            self.string(stack.raw())?;
        }
        if cause.is_some() {
            self.out.push(tags::error::CAUSE);
            return Ok(Some(Frame::Cause { cause }));
        }
        self.out.push(tags::error::END);
        Ok(None)
    }

    // ---- buffers and views -------------------------------------------------------------------

    fn buffer(&mut self, buffer: Raw) -> Result<()> {
        let same = |other: &Raw| other.address() == buffer.address();
        if let Some(index) = self.transfer.iter().position(same) {
            self.out.push(tags::ARRAY_BUFFER_TRANSFER);
            push_varint(self.out, index as u32);
            return Ok(());
        }
        let max = resizable_to(self.engine, buffer)?;
        let Some(bytes) = self.engine.buffer_bytes(buffer) else {
            return Err(clone_error::detached(self.engine));
        };
        self.check_size(bytes.len())?;
        self.out.push(match max {
            Some(_) => tags::RESIZABLE_ARRAY_BUFFER,
            None => tags::ARRAY_BUFFER,
        });
        push_varint(self.out, bytes.len() as u32);
        if let Some(max) = max {
            push_varint(self.out, max);
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes the buffer of a view, or a reference to it, and returns what the view says of it.
    fn view_buffer(&mut self, view: Raw, class: u32) -> Result<ViewHead> {
        let engine = self.engine;
        let (kind, buffer, offset, length) = if class == class::DATA_VIEW {
            let buffer = engine.get_named(view, "buffer")?;
            if !buffer.raw().is_array_buffer() {
                return Err(not_cloneable(engine, buffer.raw()));
            }
            if engine.buffer_bytes(buffer.raw()).is_none() {
                return Err(clone_error::detached(engine));
            }
            let offset = engine.get_named(view, "byteOffset")?;
            let length = engine.get_named(view, "byteLength")?;
            let offset = engine.to_double(offset.raw())? as usize;
            (
                View::DataView,
                buffer,
                offset,
                engine.to_double(length.raw())? as usize,
            )
        } else {
            let kind = View::Typed(class - class::FIRST_TYPED_ARRAY);
            let buffer = engine.get_named(view, "buffer")?;
            if !buffer.raw().is_array_buffer() {
                return Err(not_cloneable(engine, buffer.raw()));
            }
            if engine.buffer_bytes(buffer.raw()).is_none() {
                return Err(clone_error::detached(engine));
            }
            let Ok((buffer, offset, length)) = engine.typed_array(view) else {
                drop(engine.exception());
                return Err(not_cloneable(engine, view));
            };
            (kind, buffer, offset, length)
        };
        let flags = match resizable_to(engine, buffer.raw())? {
            None => 0,
            Some(_) if is_length_tracking(engine, view, buffer.raw())? => {
                tags::VIEW_IS_ON_RESIZABLE | tags::VIEW_IS_LENGTH_TRACKING
            }
            Some(_) => tags::VIEW_IS_ON_RESIZABLE,
        };
        self.object(buffer.raw(), class::ARRAY_BUFFER)?;
        let length = if flags & tags::VIEW_IS_LENGTH_TRACKING == 0 {
            length
        } else {
            0
        };
        Ok(ViewHead {
            kind,
            offset: offset as u32,
            length: length as u32,
            flags,
        })
    }

    fn view(&mut self, head: ViewHead) -> Result<()> {
        self.out.push(tags::ARRAY_BUFFER_VIEW);
        self.out.push(head.kind.tag());
        push_varint(self.out, head.offset);
        push_varint(self.out, head.length);
        push_varint(self.out, head.flags);
        Ok(())
    }

    // ---- limits ------------------------------------------------------------------------------

    fn check_size(&self, more: usize) -> Result<()> {
        if self.out.len() - self.start + more <= MAX_BYTES {
            return Ok(());
        }
        Err(self.too_large())
    }

    fn too_large(&self) -> rquickjs::Error {
        let limit = MAX_BYTES >> 20;
        let message = format!("Data cannot be cloned: it takes more than {limit} MiB.");
        clone_error::throw(self.engine, &message)
    }

    fn too_deep(&self) -> rquickjs::Error {
        let message =
            format!("Data cannot be cloned: it nests more than {MAX_WRITE_DEPTH} levels deep.");
        clone_error::throw(self.engine, &message)
    }
}

impl<'a> Frame<'a> {
    fn properties(object: Raw, keys: Keys<'a>, end: End) -> Frame<'a> {
        Frame::Properties {
            object,
            keys,
            next: 0,
            written: 0,
            end,
        }
    }
}

/// What follows a view's buffer.
struct ViewHead {
    kind: View,
    /// In bytes.
    offset: u32,
    /// In bytes.
    length: u32,
    flags: u32,
}

fn is_view(class: u32) -> bool {
    (class::FIRST_TYPED_ARRAY..=class::LAST_TYPED_ARRAY).contains(&class)
        || class == class::DATA_VIEW
}

/// The most bytes that a resizable buffer may grow to.
fn resizable_to(engine: Engine<'_>, buffer: Raw) -> Result<Option<u32>> {
    let resizable = engine.get_named(buffer, "resizable")?;
    if !matches!(resizable.raw().kind(), Kind::Bool(true)) {
        return Ok(None);
    }
    let max = engine.get_named(buffer, "maxByteLength")?;
    let max = engine.to_double(max.raw())?;
    if max > MAX_BYTES as f64 {
        return Err(not_cloneable(engine, buffer));
    }
    Ok(Some(max as u32))
}

/// Whether a view follows the length of its resizable buffer, which the engine tells nobody: changes
/// the length, looks, and changes it back. No program runs meanwhile.
fn is_length_tracking(engine: Engine<'_>, view: Raw, buffer: Raw) -> Result<bool> {
    let Some(bytes) = engine.buffer_bytes(buffer) else {
        return Err(clone_error::detached(engine));
    };
    let (bytes, length) = (bytes.to_vec(), bytes.len());
    let max = engine.to_double(engine.get_named(buffer, "maxByteLength")?.raw())? as usize;
    let before = engine.get_named(view, "byteLength")?;
    let before = engine.to_double(before.raw())?;
    let step = 8;
    let probe = if length + step <= max {
        length + step
    } else {
        length.saturating_sub(step)
    };
    let resize = |to: usize| {
        let to = engine.double(to as f64);
        engine.method(class::ARRAY_BUFFER, "resize", buffer, &[to.raw()])
    };
    resize(probe)?;
    let after = engine
        .get_named(view, "byteLength")
        .and_then(|after| engine.to_double(after.raw()));
    // A view of fixed length that no longer fits has length 0, or throws.
    let tracks = match after {
        Ok(after) if probe > length => after > before,
        Ok(after) => after > 0.0 && after < before,
        Err(_) => {
            drop(engine.exception());
            false
        }
    };
    resize(length)?;
    engine.fill_buffer(buffer, &bytes)?;
    Ok(tracks)
}

fn push_text(out: &mut Vec<u8>, start: usize, text: &[u8]) {
    if text.is_ascii() {
        push_bytes(out, tags::ONE_BYTE_STRING, text);
        return;
    }
    match text::from_wtf8(text) {
        Wide::Latin1(bytes) => push_bytes(out, tags::ONE_BYTE_STRING, &bytes),
        Wide::Utf16(units) => {
            let length = units.len() as u32 * 2;
            // V8 reads UTF-16 in place, so it must start at an even place of the value.
            if (out.len() - start + 1 + varint_len(length)) % 2 == 1 {
                out.push(tags::PADDING);
            }
            out.push(tags::TWO_BYTE_STRING);
            push_varint(out, length);
            out.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        }
    }
}

fn push_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    push_varint(out, bytes.len() as u32);
    out.extend_from_slice(bytes);
}

/// Little-endian bytes of hexadecimal digits, filled up to whole 64-bit digits; none for zero.
fn magnitude(hex: &[u8]) -> Vec<u8> {
    const DIGIT_BYTES: usize = 8;
    if hex == b"0" {
        return Vec::new();
    }
    let value = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0) as u8;
    let pairs = hex
        .rchunks(2)
        .map(|pair| pair.iter().fold(0, |byte, d| byte << 4 | value(*d)));
    let mut bytes: Vec<u8> = pairs.collect();
    bytes.resize(bytes.len().next_multiple_of(DIGIT_BYTES), 0);
    bytes
}

/// An array index from 2^31 to 2^32 - 2, if `name` is one in canonical form.
fn large_index(name: &[u8]) -> Option<u32> {
    if name.len() != 10 || !(b'2'..=b'4').contains(&name[0]) {
        return None;
    }
    let index: u32 = std::str::from_utf8(name).ok()?.parse().ok()?;
    (index >= 1 << 31 && index != u32::MAX).then_some(index)
}
