//! Finds the schema of a type by running its `Deserialize` on made-up values, again and again, until nothing new shows.
//!
//! Each run, a *pass*, is answered by a [`Tracer`](tracer::Tracer), which notes in the [`Graph`](graph::Graph) what the type asks
//! for. A pass takes one variant of each enum, so there are at least as many passes as variants. Types are told apart by
//! their visitors' Rust names: unlike serde's names, these differ for `Page<u8>` and `Page<String>`.
//!
//! When all shapes are known, structs are read as maps with names left out or given twice: which fields have a default,
//! and which names are aliases, is known only to the derived code, which then complains or doesn't.
//!
//! At last the values that came out are encoded and read by the schema, which proves that `Serialize` agrees.

mod candidates;
mod context;
mod enums;
mod error;
mod graph;
mod structs;
mod tracer;

use std::{
    any::TypeId,
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{LazyLock, Mutex, PoisonError},
};

use serde::{Serialize, de::DeserializeOwned};

use self::{context::Context, error::TraceError, tracer::Tracer};
use super::Schema;
use crate::encoding;

static KNOWN: LazyLock<Mutex<HashMap<TypeId, Schema>>> = LazyLock::new(Mutex::default);

pub(super) fn cached<T: Serialize + DeserializeOwned + 'static>() -> Schema {
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(schema) = known().get(&TypeId::of::<T>()) {
        return schema.clone();
    }
    // Not under the lock: a type's own code runs, and may ask for schemas.
    let schema = schema_of::<T>();
    known().entry(TypeId::of::<T>()).or_insert(schema).clone()
}

fn schema_of<T: Serialize + DeserializeOwned>() -> Schema {
    // A type may not be prepared for made-up values, and that must not end the job.
    let traced = catch_unwind(AssertUnwindSafe(traced::<T>));
    let panicked = || Err("its Deserialize panics on a made-up value".to_owned());
    traced.unwrap_or_else(|_| panicked()).unwrap_or_else(Schema::opaque::<T>)
}

/// The schema, or why there is none.
fn traced<T: Serialize + DeserializeOwned>() -> Result<Schema, String> {
    let mut context = Context::default();
    let mut written = Vec::new();
    while context.begin_pass() {
        let result = T::deserialize(Tracer::root(&mut context));
        if let Some(reason) = context.given_up.take() {
            return Err(reason);
        }
        match result {
            Ok(_) if !context.learned => return Err("it doesn't read all parts of its values".to_owned()),
            // What can't be encoded, such as a field left out, tells nothing of what can.
            Ok(value) => written.extend(encoding::to_vec(&value)),
            Err(TraceError::Again) => {}
            Err(error) => {
                if !context.try_next_candidate() {
                    return Err(error.to_string());
                }
            }
        }
    }
    let schema = context.graph.schema().ok_or_else(|| "it has no finite value".to_owned())?;
    for bytes in &written {
        if let Err(error) = super::read::decode(bytes, &schema) {
            return Err(format!(
                "its Serialize writes something else than its Deserialize reads: {}",
                error.kind()
            ));
        }
    }
    Ok(schema)
}

#[cfg(test)]
mod tests;
