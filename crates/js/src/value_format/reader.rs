//! Bytes to values.
//!
//! As the writer, the reader walks with a stack of [`Frame`]s on the heap. What it keeps true: every
//! length is checked against the bytes that are left before anything is made from it.

use rquickjs::{Result, Value};

use super::engine::{Atom, Engine, Held, Key, Kind, Raw, class};
use super::number::unzigzag;
use super::tags::{self, View};
use super::text;
use super::{MAX_BYTES, MAX_READ_DEPTH, NEWEST_VERSION, VERSION_WITHOUT_HEADER};

pub(super) struct Reader<'a> {
    engine: Engine<'a>,
    bytes: &'a [u8],
    at: usize,
    version: u32,
    /// By id. Holds every object until the end, so frames may name them by `Raw`.
    objects: Vec<Held<'a>>,
    transferred: Vec<Raw>,
    references: Option<Revive>,
}

/// How a message reads what could not be copied: `revive(standIn, caps)` gives the value.
#[derive(Clone, Copy)]
pub(super) struct Revive {
    pub revive: Raw,
    pub caps: Raw,
}

/// A value that is being read.
enum Frame<'a> {
    /// The properties of an object or an array, with the key whose value comes next.
    Properties {
        object: Raw,
        count: u32,
        key: Option<Atom<'a>>,
        end: End,
    },
    /// The elements of a dense array.
    Elements { array: Raw, next: u32, length: u32 },
    /// The keys and values of a map.
    Map {
        map: Raw,
        set: Held<'a>,
        key: Option<Held<'a>>,
        count: u32,
    },
    /// The values of a set.
    Set { set: Raw, add: Held<'a>, count: u32 },
    /// What may follow the constructor of an error.
    Error { error: Raw },
    /// The object with the properties of an error that workerd wrote.
    HostError { error: Raw, is_complete: bool },
    /// What stands for a value that could not be copied; the value's id is its place in `objects`.
    Reference { id: usize, value: Option<Held<'a>> },
}

/// How a list of properties ends.
#[derive(Clone, Copy)]
enum End {
    Object,
    Dense { length: u32 },
    Sparse { length: u32 },
}

/// What was at the place read.
enum Read<'a> {
    Value(Held<'a>),
    /// An object whose contents come next.
    Open(Frame<'a>),
}

/// What a frame came to.
enum Step<'a> {
    Open(Frame<'a>),
    Done(Held<'a>),
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        engine: Engine<'a>,
        bytes: &'a [u8],
        transferred: &[Value<'_>],
    ) -> Reader<'a> {
        let (at, version, objects) = (0, VERSION_WITHOUT_HEADER, Vec::new());
        let transferred = transferred
            .iter()
            .map(|buffer| buffer.as_raw().into())
            .collect();
        Reader {
            engine,
            bytes,
            at,
            version,
            objects,
            transferred,
            references: None,
        }
    }

    pub(super) fn with_references(mut self, references: Revive) -> Self {
        self.references = Some(references);
        self
    }

    pub(super) fn read(mut self) -> Result<Held<'a>> {
        self.header()?;
        let mut top = match self.value()? {
            Read::Value(value) => return Ok(value),
            Read::Open(frame) => frame,
        };
        let mut below = Vec::new();
        let mut finished = None;
        loop {
            match self.advance(&mut top, finished.take())? {
                Step::Open(child) => {
                    if below.len() >= MAX_READ_DEPTH {
                        return Err(self.broken("it is nested too deep"));
                    }
                    below.push(std::mem::replace(&mut top, child));
                }
                Step::Done(value) => match below.pop() {
                    Some(parent) => {
                        top = parent;
                        finished = Some(value);
                    }
                    None => return Ok(value),
                },
            }
        }
    }

    fn header(&mut self) -> Result<()> {
        if self.bytes.first() == Some(&tags::VERSION) {
            self.at = 1;
            self.version = self.varint()?;
            if !(VERSION_WITHOUT_HEADER..=NEWEST_VERSION).contains(&self.version) {
                let message = format!(
                    "it is of version {}, and {VERSION_WITHOUT_HEADER} to {NEWEST_VERSION} can be read",
                    self.version
                );
                return Err(self.broken(&message));
            }
        }
        Ok(())
    }

    /// Goes on with `frame`, first putting in the value that it was waiting for.
    fn advance(&mut self, frame: &mut Frame<'a>, finished: Option<Held<'a>>) -> Result<Step<'a>> {
        if let Some(value) = finished {
            self.put(frame, value)?;
        }
        loop {
            if let Some(done) = self.next(frame)? {
                return Ok(Step::Done(done));
            }
            match self.value()? {
                Read::Value(value) => self.put(frame, value)?,
                Read::Open(child) => return Ok(Step::Open(child)),
            }
        }
    }

    /// Reads up to the next value that `frame` needs, or to its end, which gives the finished object.
    fn next(&mut self, frame: &mut Frame<'a>) -> Result<Option<Held<'a>>> {
        match frame {
            Frame::Properties {
                object,
                count,
                key,
                end,
            } => {
                let (tag, length) = match *end {
                    End::Object => (tags::END_OBJECT, None),
                    End::Dense { length } => (tags::END_DENSE_ARRAY, Some(length)),
                    End::Sparse { length } => (tags::END_SPARSE_ARRAY, Some(length)),
                };
                if self.skip(tag) {
                    if self.varint()? != *count
                        || length.is_some_and(|own| self.varint().ok() != Some(own))
                    {
                        return Err(self.broken("a number of properties or elements is wrong"));
                    }
                    return Ok(Some(self.engine.hold(*object)));
                }
                *count += 1;
                *key = Some(self.key()?);
                Ok(None)
            }
            Frame::Elements {
                array,
                next,
                length,
            } => {
                while *next < *length && self.skip(tags::THE_HOLE) {
                    *next += 1;
                }
                if *next < *length {
                    return Ok(None);
                }
                let (object, length) = (*array, *length);
                // Elements end without a tag; what follows are the array's other properties.
                if self.engine.length(object)? != length {
                    self.engine.set_length(object, length)?;
                }
                let end = End::Dense { length };
                *frame = Frame::Properties {
                    object,
                    count: 0,
                    key: None,
                    end,
                };
                self.next(frame)
            }
            Frame::Map {
                map,
                key: None,
                count,
                ..
            } if self.skip(tags::END_MAP) => {
                let (map, count) = (*map, *count);
                self.end_of_entries(map, count)
            }
            Frame::Set { set, count, .. } if self.skip(tags::END_SET) => {
                let (set, count) = (*set, *count);
                self.end_of_entries(set, count)
            }
            Frame::Map { .. } | Frame::Set { .. } => Ok(None),
            Frame::Error { error } => {
                let error = *error;
                self.error_parts(error)
            }
            Frame::HostError {
                error,
                is_complete: true,
            } => Ok(Some(self.engine.hold(*error))),
            Frame::HostError { .. } => Ok(None),
            Frame::Reference { value, .. } => Ok(value.take()),
        }
    }

    /// Puts a value where `frame` was waiting for one.
    fn put(&mut self, frame: &mut Frame<'a>, value: Held<'a>) -> Result<()> {
        let engine = self.engine;
        match frame {
            Frame::Properties { object, key, .. } => {
                let key = key.take().expect("a key is read before its value");
                engine.define(*object, key.key(), value)
            }
            Frame::Elements { array, next, .. } => {
                *next += 1;
                engine.define_element(*array, *next - 1, value)
            }
            Frame::Map {
                map,
                set,
                key,
                count,
            } => {
                *count += 1;
                match key.take() {
                    None => *key = Some(value),
                    Some(key) => {
                        engine.call(set.raw(), *map, &[key.raw(), value.raw()])?;
                    }
                }
                Ok(())
            }
            Frame::Set { set, add, count } => {
                *count += 1;
                engine.call(add.raw(), *set, &[value.raw()])?;
                Ok(())
            }
            Frame::Error { error } => engine.define_hidden(*error, Key::CAUSE, value),
            Frame::Reference { id, value: revived } => {
                let Some(references) = self.references else {
                    return Err(self.broken("it refers to something outside"));
                };
                let nothing = engine.undefined();
                let arguments = [value.raw(), references.caps];
                let made = engine.call(references.revive, nothing.raw(), &arguments)?;
                self.objects[*id] = engine.hold(made.raw());
                *revived = Some(made);
                Ok(())
            }
            Frame::HostError { error, is_complete } => {
                *is_complete = true;
                if !matches!(value.raw().kind(), Kind::Object(class::OBJECT)) {
                    return Err(self.broken("an error lacks its properties"));
                }
                let keys = engine.keys(value.raw())?;
                let mut keys = (0..).map_while(|position| keys.get(position));
                keys.try_for_each(|key| match engine.own(value.raw(), key)? {
                    Some(property) => engine.define_hidden(*error, key, property),
                    None => Ok(()),
                })
            }
        }
    }

    fn end_of_entries(&mut self, collection: Raw, count: u32) -> Result<Option<Held<'a>>> {
        if self.varint()? != count {
            return Err(self.broken("a number of entries is wrong"));
        }
        Ok(Some(self.engine.hold(collection)))
    }

    // ---- one value ---------------------------------------------------------------------------

    fn value(&mut self) -> Result<Read<'a>> {
        let read = self.value_without_view()?;
        // A view follows its buffer, be that new or a reference.
        if let Read::Value(buffer) = &read
            && buffer.raw().is_array_buffer()
            && self.skip(tags::ARRAY_BUFFER_VIEW)
        {
            let view = self.view(buffer.raw())?;
            return Ok(Read::Value(self.register(view)));
        }
        Ok(read)
    }

    fn value_without_view(&mut self) -> Result<Read<'a>> {
        let engine = self.engine;
        let tag = self.tag()?;
        let value = match tag {
            tags::INT32 => engine.int(unzigzag(self.varint()?)),
            tags::ONE_BYTE_STRING | tags::TWO_BYTE_STRING | tags::UTF8_STRING => {
                self.string(tag)?
            }
            tags::DOUBLE => engine.double(self.double()?),
            tags::TRUE => engine.bool(true),
            tags::FALSE => engine.bool(false),
            tags::NULL => engine.null(),
            tags::UNDEFINED => engine.undefined(),
            tags::UINT32 => engine.double(f64::from(self.varint()?)),
            tags::BIG_INT => self.big_int()?,
            tags::OBJECT_REFERENCE => {
                let id = self.varint()?;
                match self.objects.get(id as usize) {
                    Some(object) => engine.hold(object.raw()),
                    None => return Err(self.broken("it refers to an object that is not there")),
                }
            }
            tags::BEGIN_OBJECT => {
                let object = engine.object()?;
                let object = self.register_raw(object);
                return Ok(Read::Open(Frame::properties(object, End::Object)));
            }
            tags::BEGIN_DENSE_ARRAY => {
                let length = self.varint()?;
                // Each element takes at least one byte.
                self.check_left(length)?;
                return self.elements(length).map(Read::Open);
            }
            tags::BEGIN_SPARSE_ARRAY => {
                let length = self.varint()?;
                let array = engine.array()?;
                engine.set_length(array.raw(), length)?;
                let array = self.register_raw(array);
                return Ok(Read::Open(Frame::properties(array, End::Sparse { length })));
            }
            tags::BEGIN_MAP => {
                let map = engine.construct(class::MAP, &[])?;
                let set = engine.get_named(engine.prototype(class::MAP)?.raw(), "set")?;
                let map = self.register_raw(map);
                return Ok(Read::Open(Frame::Map {
                    map,
                    set,
                    key: None,
                    count: 0,
                }));
            }
            tags::BEGIN_SET => {
                let set = engine.construct(class::SET, &[])?;
                let add = engine.get_named(engine.prototype(class::SET)?.raw(), "add")?;
                let set = self.register_raw(set);
                return Ok(Read::Open(Frame::Set { set, add, count: 0 }));
            }
            tags::ERROR => return self.error().map(Read::Open),
            tags::REFERENCE if self.references.is_some() => {
                let id = self.objects.len();
                self.objects.push(engine.undefined());
                return Ok(Read::Open(Frame::Reference { id, value: None }));
            }
            tags::HOST_OBJECT => return self.host_object(),
            _ => {
                let object = self.single_object(tag)?;
                self.register(object)
            }
        };
        Ok(Read::Value(value))
    }

    /// An object that is one value: gets its id after it is read, and no other id comes between.
    fn single_object(&mut self, tag: u8) -> Result<Held<'a>> {
        let engine = self.engine;
        match tag {
            tags::DATE => engine.date(self.double()?),
            tags::TRUE_OBJECT => engine.boxed(engine.bool(true).raw()),
            tags::FALSE_OBJECT => engine.boxed(engine.bool(false).raw()),
            tags::NUMBER_OBJECT => engine.boxed(engine.double(self.double()?).raw()),
            tags::BIG_INT_OBJECT => engine.boxed(self.big_int()?.raw()),
            tags::STRING_OBJECT => engine.boxed(self.tagged_string()?.raw()),
            tags::REG_EXP => self.reg_exp(),
            tags::ARRAY_BUFFER => {
                let length = self.varint()?;
                engine.buffer(self.take(length)?)
            }
            tags::RESIZABLE_ARRAY_BUFFER => self.resizable_buffer(),
            tags::ARRAY_BUFFER_TRANSFER => {
                let index = self.varint()?;
                match self.transferred.get(index as usize) {
                    Some(buffer) => Ok(engine.hold(*buffer)),
                    None => Err(self.broken("it names a transferred buffer that is not there")),
                }
            }
            _ => match tags::FOREIGN.iter().find(|(own, _)| *own == tag) {
                Some((_, name)) => Err(self.broken(&format!("it holds {name}"))),
                None => Err(self.broken(&format!("there is no tag 0x{tag:02X}"))),
            },
        }
    }

    /// A dense array. Its leading primitives are gathered and handed to the engine as one list.
    fn elements(&mut self, length: u32) -> Result<Frame<'a>> {
        let mut leading = Vec::new();
        while (leading.len() as u32) < length && self.primitive_is_next() {
            match self.value_without_view()? {
                Read::Value(value) => leading.push(value),
                Read::Open(_) => unreachable!("the tag is of a primitive"),
            }
        }
        let next = leading.len() as u32;
        let array = self.engine.array_from(leading)?;
        let array = self.register_raw(array);
        Ok(Frame::Elements {
            array,
            next,
            length,
        })
    }

    fn primitive_is_next(&mut self) -> bool {
        matches!(
            self.peek(),
            Some(
                tags::INT32
                    | tags::ONE_BYTE_STRING
                    | tags::TWO_BYTE_STRING
                    | tags::UTF8_STRING
                    | tags::DOUBLE
                    | tags::TRUE
                    | tags::FALSE
                    | tags::NULL
                    | tags::UNDEFINED
                    | tags::UINT32
                    | tags::BIG_INT
            )
        )
    }

    fn key(&mut self) -> Result<Atom<'a>> {
        let tag = self.tag()?;
        match tag {
            tags::ONE_BYTE_STRING => {
                let length = self.varint()?;
                let bytes = self.take(length)?;
                if bytes.is_ascii() {
                    return self.engine.atom_from_ascii(bytes);
                }
                let key = self.engine.string(&text::latin1(bytes))?;
                self.engine.atom(key.raw())
            }
            tags::TWO_BYTE_STRING | tags::UTF8_STRING => {
                let key = self.string(tag)?;
                self.engine.atom(key.raw())
            }
            tags::INT32 => {
                let index = unzigzag(self.varint()?);
                match u32::try_from(index) {
                    Ok(index) => self.engine.atom_from_index(index),
                    Err(_) => self.engine.atom(self.engine.int(index).raw()),
                }
            }
            tags::UINT32 => {
                let index = self.varint()?;
                self.engine.atom(self.engine.double(f64::from(index)).raw())
            }
            tags::DOUBLE => {
                let index = self.double()?;
                self.engine.atom(self.engine.double(index).raw())
            }
            _ => Err(self.broken("a property key is neither text nor number")),
        }
    }

    // ---- strings and numbers -----------------------------------------------------------------

    fn string(&mut self, tag: u8) -> Result<Held<'a>> {
        let length = self.varint()?;
        let bytes = self.take(length)?;
        match tag {
            tags::ONE_BYTE_STRING if bytes.is_ascii() => {
                let ascii = std::str::from_utf8(bytes).expect("ASCII is UTF-8");
                self.engine.string(ascii)
            }
            tags::ONE_BYTE_STRING => self.engine.string(&text::latin1(bytes)),
            tags::UTF8_STRING => self.engine.string(&String::from_utf8_lossy(bytes)),
            _ if bytes.len() % 2 == 1 => Err(self.broken("half a UTF-16 unit")),
            _ => self.engine.string_from_utf16(&text::utf16(bytes)),
        }
    }

    fn tagged_string(&mut self) -> Result<Held<'a>> {
        match self.tag()? {
            tag @ (tags::ONE_BYTE_STRING | tags::TWO_BYTE_STRING | tags::UTF8_STRING) => {
                self.string(tag)
            }
            _ => Err(self.broken("text is missing")),
        }
    }

    fn big_int(&mut self) -> Result<Held<'a>> {
        let head = self.varint()?;
        let (is_negative, length) = (head & 1 == 1, head >> 1);
        let bytes = self.take(length)?;
        let significant = bytes
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |last| last + 1);
        let bytes = &bytes[..significant];
        let mut small = [0; 8];
        if let Some(low) = small.get_mut(..bytes.len()) {
            low.copy_from_slice(bytes);
            if let Ok(value) = i64::try_from(u64::from_le_bytes(small)) {
                return self
                    .engine
                    .small_big_int(if is_negative { -value } else { value });
            }
        }
        self.large_big_int(bytes, is_negative)
    }

    /// By the engine's own parser; a negative one as its two's complement, cut to one bit more.
    fn large_big_int(&self, magnitude: &[u8], is_negative: bool) -> Result<Held<'a>> {
        let engine = self.engine;
        let mut bytes = magnitude.to_vec();
        if is_negative {
            bytes.push(0);
            let mut carry = true;
            for byte in &mut bytes {
                (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
            }
        }
        let mut hex = String::with_capacity(2 + bytes.len() * 2);
        hex.push_str("0x");
        for byte in bytes.iter().rev() {
            hex.extend(
                [byte >> 4, byte & 15]
                    .map(|d| char::from_digit(u32::from(d), 16).expect("below 16")),
            );
        }
        let constructor = engine.constructor(class::BIG_INT)?;
        let text = engine.string(&hex)?;
        let value = engine.call(constructor.raw(), Raw::UNDEFINED, &[text.raw()])?;
        if !is_negative {
            return Ok(value);
        }
        let bits = engine.double(bytes.len() as f64 * 8.0);
        let as_int_n = engine.get_named(constructor.raw(), "asIntN")?;
        engine.call(
            as_int_n.raw(),
            constructor.raw(),
            &[bits.raw(), value.raw()],
        )
    }

    // ---- objects that are one value ----------------------------------------------------------

    fn reg_exp(&mut self) -> Result<Held<'a>> {
        let source = self.tagged_string()?;
        let bits = self.varint()?;
        let known = tags::REG_EXP_FLAGS
            .iter()
            .fold(0, |known, (_, bit)| known | bit);
        if bits & !known != 0 {
            return Err(self.broken("a regular expression has unknown flags"));
        }
        let set = tags::REG_EXP_FLAGS
            .iter()
            .filter(|(_, bit)| bits & bit != 0);
        let flags: String = set.map(|(flag, _)| *flag).collect();
        let flags = self.engine.string(&flags)?;
        self.engine
            .construct(class::REG_EXP, &[source.raw(), flags.raw()])
    }

    fn error(&mut self) -> Result<Frame<'a>> {
        let tag = self.bytes.get(self.at);
        let mut prototypes = tags::error::PROTOTYPES.iter();
        let name = tag.and_then(|tag| prototypes.find(|(own, _)| own == tag));
        self.at += usize::from(name.is_some());
        let error = self.new_error(name.map(|(_, name)| *name))?;
        Ok(Frame::Error {
            error: self.register_raw(error),
        })
    }

    /// An error of the named constructor, as the program has it now.
    fn new_error(&self, name: Option<&str>) -> Result<Held<'a>> {
        let engine = self.engine;
        let error = engine.error()?;
        if let Some(name) = name {
            let constructor = engine.get_named(engine.global()?.raw(), name)?;
            if engine.is_function(constructor.raw()) {
                let prototype = engine.get_named(constructor.raw(), "prototype")?;
                if matches!(prototype.raw().kind(), Kind::Object(_)) {
                    engine.set_prototype(error.raw(), prototype.raw())?;
                }
            }
        }
        Ok(error)
    }

    /// An object of workerd's own.
    fn host_object(&mut self) -> Result<Read<'a>> {
        let engine = self.engine;
        match self.varint()? {
            tags::host::NATIVE_ERROR => {
                let kind = self.varint()?;
                let custom = match kind {
                    tags::host::CUSTOM_ERROR => Some(self.tagged_string()?),
                    _ => None,
                };
                let mut types = tags::host::ERROR_TYPES.iter();
                let name = types.find(|(own, _)| *own == kind).map(|(_, name)| *name);
                let error = self.new_error(name)?;
                if let Some(name) = custom {
                    engine.define_hidden(error.raw(), Key::NAME, name)?;
                }
                let message = self.tagged_string()?;
                engine.define_hidden(error.raw(), Key::MESSAGE, message)?;
                let error = self.register_raw(error);
                Ok(Read::Open(Frame::HostError {
                    error,
                    is_complete: false,
                }))
            }
            tags::host::DOM_EXCEPTION => {
                let [name, message, stack] =
                    [self.host_text()?, self.host_text()?, self.host_text()?];
                let arguments = [message.raw(), name.raw()];
                let exception = engine.construct(class::DOM_EXCEPTION, &arguments)?;
                engine.define_hidden(exception.raw(), Key::STACK, stack)?;
                Ok(Read::Value(self.register(exception)))
            }
            kind => Err(self.broken(&format!(
                "it holds an object of workerd's own, of kind {kind}"
            ))),
        }
    }

    fn host_text(&mut self) -> Result<Held<'a>> {
        let length = self.varint()?;
        let bytes = self.take(length)?;
        self.engine.string(&String::from_utf8_lossy(bytes))
    }

    /// Reads parts of an error up to its cause or its end.
    fn error_parts(&mut self, error: Raw) -> Result<Option<Held<'a>>> {
        loop {
            let key = match self.byte()? {
                tags::error::END => return Ok(Some(self.engine.hold(error))),
                tags::error::CAUSE => return Ok(None),
                tags::error::MESSAGE => Key::MESSAGE,
                tags::error::STACK => Key::STACK,
                _ => return Err(self.broken("an error has an unknown part")),
            };
            let text = self.tagged_string()?;
            self.engine.define_hidden(error, key, text)?;
        }
    }

    // ---- buffers and views -------------------------------------------------------------------

    fn resizable_buffer(&mut self) -> Result<Held<'a>> {
        let engine = self.engine;
        let (length, max) = (self.varint()?, self.varint()?);
        let bytes = self.take(length)?;
        if max < length || max as usize > MAX_BYTES {
            return Err(self.broken("a resizable buffer may not grow to what it says"));
        }
        let options = engine.object()?;
        let key = engine.atom_from_ascii(b"maxByteLength")?;
        engine.define(options.raw(), key.key(), engine.double(f64::from(max)))?;
        let size = engine.double(f64::from(length));
        let buffer = engine.construct(class::ARRAY_BUFFER, &[size.raw(), options.raw()])?;
        engine.fill_buffer(buffer.raw(), bytes)?;
        Ok(buffer)
    }

    fn view(&mut self, buffer: Raw) -> Result<Held<'a>> {
        /// The first version that writes a view's flags.
        const VERSION_WITH_FLAGS: u32 = 14;
        let engine = self.engine;
        let (tag, offset, length) = (self.varint()?, self.varint()?, self.varint()?);
        let flags = if self.version >= VERSION_WITH_FLAGS {
            self.varint()?
        } else {
            0
        };
        let Some(kind) = View::from_tag(tag) else {
            return Err(self.broken("there is no such view of a buffer"));
        };
        let Some(bytes) = engine.buffer_bytes(buffer) else {
            return Err(self.broken("a view is of a detached buffer"));
        };
        let size = kind.element_size();
        let (offset, length) = (offset as usize, length as usize);
        let fits = offset
            .checked_add(length)
            .is_some_and(|end| end <= bytes.len());
        if !fits || offset % size != 0 || length % size != 0 {
            return Err(self.broken("a view does not fit its buffer"));
        }
        let offset = engine.double(offset as f64);
        if flags & tags::VIEW_IS_LENGTH_TRACKING != 0 {
            return engine.view(kind, buffer, offset.raw(), None);
        }
        let length = engine.double((length / size) as f64);
        engine.view(kind, buffer, offset.raw(), Some(length.raw()))
    }

    // ---- ids ---------------------------------------------------------------------------------

    /// Gives an object the next id.
    fn register(&mut self, object: Held<'a>) -> Held<'a> {
        let object = self.register_raw(object);
        self.engine.hold(object)
    }

    fn register_raw(&mut self, object: Held<'a>) -> Raw {
        let raw = object.raw();
        self.objects.push(object);
        raw
    }

    // ---- bytes -------------------------------------------------------------------------------

    fn byte(&mut self) -> Result<u8> {
        let Some(byte) = self.bytes.get(self.at) else {
            return Err(self.broken("it ends too early"));
        };
        self.at += 1;
        Ok(*byte)
    }

    /// The next tag; padding and object counts are passed over.
    fn tag(&mut self) -> Result<u8> {
        loop {
            match self.byte()? {
                tags::PADDING => {}
                tags::VERIFY_OBJECT_COUNT => {
                    self.varint()?;
                }
                tag => return Ok(tag),
            }
        }
    }

    /// The next tag, not read yet.
    fn peek(&mut self) -> Option<u8> {
        while self.bytes.get(self.at) == Some(&tags::PADDING) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    /// Reads `tag` if it is next.
    fn skip(&mut self, tag: u8) -> bool {
        let found = self.peek() == Some(tag);
        self.at += usize::from(found);
        found
    }

    fn take(&mut self, length: u32) -> Result<&'a [u8]> {
        self.check_left(length)?;
        let from = self.at;
        self.at += length as usize;
        Ok(&self.bytes[from..self.at])
    }

    fn check_left(&self, length: u32) -> Result<()> {
        if length as usize <= self.bytes.len() - self.at {
            return Ok(());
        }
        Err(self.broken("a length goes beyond its end"))
    }

    fn varint(&mut self) -> Result<u32> {
        const LONGEST: u32 = 5;
        let mut value: u32 = 0;
        for position in 0..LONGEST {
            let byte = self.byte()?;
            value |= u32::from(byte & 0x7F) << (7 * position);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.broken("a number does not end"))
    }

    fn double(&mut self) -> Result<f64> {
        let bytes = self.take(8)?;
        let double = f64::from_le_bytes(bytes.try_into().expect("eight were taken"));
        // The engine may keep numbers inside NaNs, so none but the plain one may come in.
        Ok(if double.is_nan() { f64::NAN } else { double })
    }

    fn broken(&self, what: &str) -> rquickjs::Error {
        let at = self.at;
        self.engine.throw_error(&format!(
            "Unable to deserialize cloned data: {what}, at byte {at}."
        ))
    }
}

impl<'a> Frame<'a> {
    fn properties(object: Raw, end: End) -> Frame<'a> {
        Frame::Properties {
            object,
            count: 0,
            key: None,
            end,
        }
    }
}
