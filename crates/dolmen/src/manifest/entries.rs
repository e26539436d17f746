//! A map that keeps its order and refuses to say anything twice.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, MapAccess, Visitor},
};

/// How a value of the map is read.
pub(super) trait Entry: Sized {
    fn deserialize_entry<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

pub(super) struct Entries<V>(pub Vec<(String, V)>);

impl<'de, V: Entry> Deserialize<'de> for Entries<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Pairs(PhantomData))
    }
}

struct Pairs<V>(PhantomData<V>);

impl<'de, V: Entry> Visitor<'de> for Pairs<V> {
    type Value = Entries<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<V>, A::Error> {
        let mut pairs: Vec<(String, V)> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(de::Error::custom(format!("{name} is named twice")));
            }
            pairs.push((name, map.next_value_seed(Value(PhantomData))?));
        }
        Ok(Entries(pairs))
    }
}

struct Value<V>(PhantomData<V>);

impl<'de, V: Entry> DeserializeSeed<'de> for Value<V> {
    type Value = V;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V, D::Error> {
        V::deserialize_entry(deserializer)
    }
}
