//! What a type must be to flow through a job or to be a key.

use serde::{Serialize, de::DeserializeOwned};

/// A type whose values can be records, state or messages: any serde type that can be cloned and sent.
///
/// Implemented for every fitting type; there is nothing to derive beyond
/// `#[derive(Clone, Serialize, Deserialize)]`. This is all that flott asks for (Flink: `TypeInformation`).
pub trait Data: Clone + Send + 'static + Serialize + DeserializeOwned {}

impl<T> Data for T where T: Clone + Send + 'static + Serialize + DeserializeOwned {}

/// A type whose values can be keys of a keyed stream.
///
/// Two keys that are equal by [`Eq`] must have the same encoding, for the encoded bytes decide the key
/// group ([`crate::hash::key_hash`]). Derived `Eq` and serde implementations agree. Floating-point numbers
/// are no keys, as they have no `Eq`.
pub trait Key: Data + Eq {}

impl<T> Key for T where T: Data + Eq {}
