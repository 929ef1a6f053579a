//! The settings that every operator has, whichever handle it is reached through.

/// Adds the settings of an operator to a handle with fields `env` and `at`.
macro_rules! operator_settings {
    () => {
        /// A stable identity for the operator's state. Give one to every operator with state: without it, the identity
        /// changes with the topology.
        pub fn uid(self, uid: impl Into<String>) -> Self {
            let uid = uid.into();
            self.change(|node| node.uid = Some(uid))
        }

        /// The name shown to people.
        pub fn name(self, name: impl Into<String>) -> Self {
            let name = name.into();
            self.change(|node| node.name = name)
        }

        /// How many subtasks the operator has.
        pub fn set_parallelism(self, parallelism: u32) -> Self {
            self.change(|node| node.parallelism = Some(parallelism))
        }

        /// How many key groups the operator's keyed state has, at most 32,768.
        pub fn set_max_parallelism(self, max_parallelism: u32) -> Self {
            self.change(|node| node.max_parallelism = Some(max_parallelism))
        }

        /// Chains the operator to its successors but not to its predecessor.
        pub fn start_new_chain(self) -> Self {
            self.change(|node| node.chaining = flott_runtime::graph::ChainingStrategy::Head)
        }

        /// Chains the operator to nothing.
        pub fn disable_chaining(self) -> Self {
            self.change(|node| node.chaining = flott_runtime::graph::ChainingStrategy::Never)
        }

        /// The group of operators whose subtasks may share a slot (default `default`, or that of the inputs).
        pub fn slot_sharing_group(self, group: impl Into<String>) -> Self {
            let group = group.into();
            self.change(|node| node.slot_sharing_group = Some(group))
        }

        fn change(self, change: impl FnOnce(&mut flott_runtime::graph::StreamNode)) -> Self {
            let mut builder = self.env.builder.borrow_mut();
            if self.is_output {
                builder.change(self.at, change);
            } else {
                builder.no_operator(self.at);
            }
            drop(builder);
            self
        }
    };
}

pub(crate) use operator_settings;
