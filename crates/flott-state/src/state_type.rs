//! The types of what a snapshot holds, and how it is read as the types that there are now.

use std::{
    any::type_name,
    collections::BTreeSet,
    fmt,
    sync::{Mutex, PoisonError},
};

use flott_core::{
    Data,
    encoding::{DecodeError, decode, decode_prefix},
    schema::{Incompatible, Migration, Schema, migrate, migrate_prefix},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A type of key, namespace, value or element, as a snapshot knows it (Flink: `TypeSerializerSnapshot`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateType {
    /// Its Rust name, for messages.
    pub name: String,
    /// What its bytes mean.
    pub schema: Schema,
}

impl StateType {
    /// The type `T`.
    pub fn of<T: Data>() -> Self {
        Self::named::<T>(type_name::<T>())
    }

    /// The types of key, namespace and value.
    pub fn of_each<K: Data, N: Data, V: Data>() -> [Self; 3] {
        [Self::of::<K>(), Self::of::<N>(), Self::of::<V>()]
    }

    /// The type `T`, told under the name of what it is made for.
    pub(crate) fn named<T: Serialize + DeserializeOwned + 'static>(name: impl Into<String>) -> Self {
        Self { name: name.into(), schema: Schema::of::<T>() }
    }

    /// How values that were written as this type are read as `wanted`.
    ///
    /// # Errors
    /// When they can't be.
    pub fn read_as(&self, wanted: &Self) -> Result<Reading<'_>, Incompatible> {
        // A type that flott could not trace then, and can trace now.
        let traced_since = self.schema.opaque_because().is_some() && self.name == wanted.name;
        match traced_since {
            true => Ok(Reading(None)),
            false => Migration::between(&self.schema, &wanted.schema).map(|migration| match migration {
                Migration::Same => Reading(None),
                Migration::Migrate => Reading(Some(&self.schema)),
            }),
        }
    }
}

impl fmt::Display for StateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Tells people, once for each state, of types that can't be traced: what such a state holds is restored unchanged only, and
/// nothing notices if the type has changed.
pub(crate) fn tell_opaque(state: &str, types: &[StateType]) {
    static TOLD: Mutex<BTreeSet<(String, String)>> = Mutex::new(BTreeSet::new());
    for of in types {
        let Some(reason) = of.schema.opaque_because() else { continue };
        let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert((state.to_owned(), of.name.clone())) {
            tracing::warn!(
                "state '{state}' holds {of}, which can't be traced, as {reason}: it can be restored with an unchanged type only, \
                 which nothing checks"
            );
        }
    }
}

/// How values of a snapshot are read: as they are, or through the schema that they were written with.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a>(Option<&'a Schema>);

impl Reading<'_> {
    /// Values are read as they are.
    pub(crate) const SAME: Self = Self(None);

    /// Whether the bytes mean the same for both types.
    pub const fn is_same(self) -> bool {
        self.0.is_none()
    }

    /// Reads one value from the front of `bytes` and moves `bytes` past it.
    ///
    /// # Errors
    /// When the bytes aren't such a value, or it can't become a `T`.
    #[inline]
    pub fn prefix<T: DeserializeOwned>(self, bytes: &mut &[u8]) -> Result<T, DecodeError> {
        match self.0 {
            None => decode_prefix(bytes),
            Some(written) => migrate_prefix(bytes, written),
        }
    }

    /// Reads the one value that `bytes` hold.
    ///
    /// # Errors
    /// As [`Reading::prefix`], and when bytes are left over.
    pub fn whole<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, DecodeError> {
        match self.0 {
            None => decode(bytes),
            Some(written) => migrate(bytes, written),
        }
    }
}
