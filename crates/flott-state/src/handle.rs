//! What all state handles are: small tokens that name a state by number.

use crate::error::{StateError, StateErrorKind};

/// No state has this id.
pub(crate) const UNBOUND: u32 = u32::MAX;

#[cold]
#[inline(never)]
pub(crate) fn not_found(id: u32, handle: String) -> StateError {
    match id {
        UNBOUND => StateErrorKind::Unbound { handle }.into(),
        _ => StateErrorKind::Foreign { handle }.into(),
    }
}

/// Makes a token of a struct with an `id`, an `of_type: PhantomData` and, if it is named, a flag. Written out because derives would ask for
/// `Clone` and `Default` of the parameters too.
macro_rules! state_handle {
    ($name:ident<$($of:ident),+> $(, $flag:ident)?) => {
        impl<$($of),+> Clone for $name<$($of),+> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$($of),+> Copy for $name<$($of),+> {}

        impl<$($of),+> Default for $name<$($of),+> {
            /// A handle bound to no state.
            fn default() -> Self {
                Self { id: $crate::handle::UNBOUND, $($flag: false,)? of_type: std::marker::PhantomData }
            }
        }

        impl<$($of),+> $name<$($of),+> {
            pub(crate) const fn bound(id: u32 $(, $flag: bool)?) -> Self {
                Self { id, $($flag,)? of_type: std::marker::PhantomData }
            }

            /// The type of the handle as messages show it.
            pub(crate) fn type_name() -> String {
                let of = [$(std::any::type_name::<$of>()),+].join(", ");
                format!("{}<{of}>", stringify!($name))
            }

            #[cold]
            #[inline(never)]
            fn not_found(self) -> $crate::error::StateError {
                $crate::handle::not_found(self.id, Self::type_name())
            }
        }
    };
}
pub(crate) use state_handle;

/// What all descriptors have: a `name`, and a `ttl`.
macro_rules! state_descriptor {
    ($name:ident<$($of:ident),+>) => {
        impl<$($of),+> $name<$($of),+> {
            /// The name of the state.
            pub fn name(&self) -> &str {
                &self.name
            }

            /// Lets what the state holds expire (Flink: `enableTimeToLive`).
            #[must_use]
            pub fn enable_time_to_live(mut self, config: $crate::ttl::StateTtlConfig) -> Self {
                self.ttl = Some(config);
                self
            }
        }
    };
}
pub(crate) use state_descriptor;
